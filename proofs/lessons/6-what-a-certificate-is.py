import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="What a certificate is")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Lesson 6: What a certificate is

    *About 60 minutes. You need lessons 1 to 3.*

    A program says: OPT is 4; or: LRU can be forced to ratio 3. Why should you believe it? Programs have
    bugs, and the ones that search are long. A **certificate** is a claim with evidence such that *checking*
    the evidence is easy, even where *finding* it was hard. What must be trusted is then only the checker:
    here one folder, `proofs/checker`, short enough to read.
    """)
    return


@app.cell
def _():
    import copy
    import json
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import marimo as mo

    from adversary import Search, periodic_cycle
    from lp import gaps_of, optimum
    from lp.certificate import optimum_certificate
    from paging import LayeredInstance, RequestSequence
    from paging.certificate import certificate, write_certificate
    from paging.lessons import after, check, check_that, code, score, whole_numbers
    from paging.viewer.timeline import cache_timeline
    from proofs.certificates.formal import FormalError, verify_formally
    from proofs.checker import verify

    return (
        FormalError,
        LayeredInstance,
        Path,
        RequestSequence,
        Search,
        TemporaryDirectory,
        after,
        cache_timeline,
        certificate,
        check,
        check_that,
        code,
        copy,
        gaps_of,
        json,
        mo,
        optimum,
        optimum_certificate,
        periodic_cycle,
        score,
        verify,
        verify_formally,
        whole_numbers,
        write_certificate,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. OPT is at most: a schedule

    Three pages in turn, two slots. A **schedule** has one entry per request: −2 a hit, −1 a fault into a
    free slot, p a fault for which page p leaves.
    """)
    return


@app.cell
def _(LayeredInstance, RequestSequence):
    instance = LayeredInstance(layers=1, pages=3, cache=2)
    sequence = RequestSequence(instance, [0, 1, 2, 0, 1, 2])
    shape = {"layers": 1, "pages": 3, "cache": 2, "per_visit": 1, "visits": "sequential", "service": "forced"}
    return sequence, shape


@app.cell(hide_code=True)
def _(mo):
    answer_1 = mo.ui.text(label="Answer", placeholder="six entries")
    mo.md(rf"""
    **Question 1.** Write a schedule for 0 1 2 0 1 2 with four faults.

    {answer_1}
    """)
    return (answer_1,)


@app.cell
def _(certificate, shape, verify):
    def is_good_schedule(entries):
        claim = {"instance": shape, "requests": [0, 1, 2, 0, 1, 2], "upper": 4}
        verdict = verify(certificate("schedule", claim, {"schedule": list(entries)}))
        return verdict.status == "VERIFIED" or verdict.reason

    return (is_good_schedule,)


@app.cell(hide_code=True)
def _(answer_1, check_that, is_good_schedule, whole_numbers):
    result_1 = check_that(
        answer_1.value,
        is_good_schedule,
        "At request 2 evict the page that comes later: 1. Then 0 is a hit.",
        whole_numbers,
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    answer_2 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    The checker carried the schedule out and counted. It did not have to know how you found it. But is there
    one with three faults?

    ## 2. OPT is at least: a dual

    Between two requests of the same page, the page can be *kept*, which saves a fault. Call the pair a
    **gap**.

    **Question 2.** How many gaps have the six requests?

    {answer_2}
    """)
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2, check, gaps_of, sequence):
    result_2 = check(answer_2.value, lambda: len(gaps_of(sequence).ends), "Every page is requested twice.")
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    answer_3 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    A gap needs a slot at every request strictly between its ends. One slot is always taken by the page
    being requested, so k − 1 = 1 slot is left. Look at request 2, which asks for page 2: the gap of page 0
    (requests 0 to 3) and the gap of page 1 (requests 1 to 4) both span it. Only one of the two can be kept.

    So of the three gaps at most two are kept, at least 6 − 2 = 4 requests are faults. The **dual** says
    just that: "put weight 1 on step 2". In general, with weights y ≥ 0 on steps,

    > OPT ≥ requests − (k − 1)·Σ y − Σ over gaps of max(0, 1 − (sum of y the gap spans)).

    **Question 3.** Which lower bound do you get from y = 0 everywhere?

    {answer_3}
    """)
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, check, gaps_of, sequence):
    result_3 = check(
        answer_3.value,
        lambda: len(sequence) - len(gaps_of(sequence).ends),
        "Six requests, and every gap counts as kept.",
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    answer_4 = mo.ui.text(label="Answer", placeholder="steps such as 0 1")
    mo.md(rf"""
    **Question 4.** Another y does it too. Give steps other than 2, with weight 1 each, that prove
    OPT ≥ 4.

    {answer_4}
    """)
    return (answer_4,)


@app.cell
def _(certificate, shape, verify):
    def is_good_dual(steps):
        if list(steps) == [2]:
            return "another one than 2 alone"
        claim = {"instance": shape, "requests": [0, 1, 2, 0, 1, 2], "lower": 4}
        verdict = verify(
            certificate("dual", claim, {"dual": {"steps": list(steps), "values": [1] * len(steps)}})
        )
        return verdict.status == "VERIFIED" or verdict.reason

    return (is_good_dual,)


@app.cell(hide_code=True)
def _(answer_4, check_that, is_good_dual, whole_numbers):
    result_4 = check_that(
        answer_4.value,
        is_good_dual,
        "The gaps of pages 1 and 2 (requests 1 to 4 and 2 to 5) share a step as well.",
        whole_numbers,
    )
    result_4
    return (result_4,)


@app.cell
def _(optimum, optimum_certificate, sequence):
    proof = optimum_certificate(optimum(sequence))
    return (proof,)


@app.cell(hide_code=True)
def _(after, json, mo, proof, result_1, result_4):
    after(
        [result_1, result_4],
        lambda: mo.vstack(
            [
                mo.md("""
                Schedule and dual together *prove* that OPT = 4. This always works: every optimal schedule
                has such a dual (the constraint matrix is an interval matrix; see the page on the offline
                optimum). The library finds both in linear time. This certificate is called `proof` below:
                """),
                mo.plain_text(json.dumps(proof, indent=1)),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_5 = mo.ui.dropdown(["VERIFIED", "REFUTED", "INCOMPLETE"], label="Answer")
    mo.md(rf"""
    **Question 5.** What does the checker say of a certificate that holds a schedule with four faults and a
    dual that proves four?

    {answer_5}
    """)
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, check, proof, verify):
    result_5 = check(
        answer_5.value, lambda: verify(proof).status, "Nothing is missing, and nothing is wrong with it."
    )
    result_5
    return (result_5,)


@app.cell(hide_code=True)
def _(mo):
    _start = """\
def lie(proof):
    proof["claim"]["upper"] = 4
    return proof
"""
    answer_6 = mo.ui.code_editor(_start, min_height=120).form(submit_button_label="Check", bordered=False)
    mo.md(rf"""
    ## 3. Lie to the checker

    A checker is worth something only if it refuses. There are four verdicts: `VERIFIED`;
    `CONDITIONAL`, proved if something holds that nobody has checked, which is listed; `REFUTED`, this
    evidence does not prove this claim; `INCOMPLETE`, this is no certificate that could be judged.

    **Question 6.** The certificate `proof` is a dictionary: `proof["claim"]` has the fields `instance`,
    `requests`, `lower` and `upper`; `proof["evidence"]` has `schedule` and `dual`. Change a copy of it so
    that it is REFUTED.

    {answer_6}
    """)
    return (answer_6,)


@app.cell
def _(copy, proof, verify):
    def judged(status):
        def is_judged_so(lie):
            document = copy.deepcopy(proof)
            changed = lie(document)
            verdict = verify(document if changed is None else changed)
            return verdict.status == status or f"{verdict.status}: {verdict.reason}"

        return is_judged_so

    return (judged,)


@app.cell(hide_code=True)
def _(answer_6, check_that, code, judged):
    result_6 = check_that(
        answer_6.value,
        judged("REFUTED"),
        "Claim a smaller upper bound, or declare a fault to be a hit (-2).",
        code(),
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(mo):
    _start = """\
def lie(proof):
    proof["claim"]["upper"] = 4
    return proof
"""
    answer_7 = mo.ui.code_editor(_start, min_height=120).form(submit_button_label="Check", bordered=False)
    mo.md(rf"""
    **Question 7.** And one that is INCOMPLETE.

    {answer_7}
    """)
    return (answer_7,)


@app.cell(hide_code=True)
def _(answer_7, check_that, code, judged):
    result_7 = check_that(
        answer_7.value,
        judged("INCOMPLETE"),
        "Remove a field, add one nobody knows, or write 4.0 for 4.",
        code(),
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    answer_8 = mo.ui.dropdown(["VERIFIED", "REFUTED", "INCOMPLETE"], label="Answer")
    mo.md(rf"""
    **Question 8.** Change the provenance of `proof`, where it says who made it, to a boast. What does the
    checker say then?

    {answer_8}
    """)
    return (answer_8,)


@app.cell(hide_code=True)
def _(answer_8, check, proof, verify):
    result_8 = check(
        answer_8.value,
        lambda: verify({**proof, "provenance": {"author": "the best solver in the world"}}).status,
        "Evidence counts, not who it comes from: provenance is never read.",
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    *Discuss.* Which errors can the checker not find? (Is the claim the one you care about? Are the requests
    the ones you meant?)

    ## 4. A policy is at least this bad: a cycle

    A finite run with ratio 3 proves nothing about the competitive ratio: there is an additive constant. But
    if after some requests the policy's state *and* OPT's cache are what they were before, the same requests
    can be repeated for ever, and the ratio of the costs inside the cycle is a proof.
    """)
    return


@app.cell
def _(LayeredInstance, Search):
    def worst(policy, layers, pages, cache):
        search = Search(policy, LayeredInstance(layers, pages, cache))
        search.run()
        return search

    return (worst,)


@app.cell(hide_code=True)
def _(cache_timeline, mo, worst):
    found = worst("lru", 2, 2, 3)
    _requests = found.best.sequence(3)
    mo.plain_text(
        f"{len(found.best.requests)} requests, three times\n\n"
        f"{cache_timeline('lru', _requests)}\n\n{cache_timeline('opt', _requests)}"
    )
    return (found,)


@app.cell(hide_code=True)
def _(mo):
    answer_9 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 9.** This is a cycle for LRU at (ℓ, n, k) = (2, 2, 3). Look at the last turn: what ratio does
    the cycle prove?

    {answer_9}
    """)
    return (answer_9,)


@app.cell(hide_code=True)
def _(answer_9, check, found):
    result_9 = check(
        answer_9.value, lambda: found.best.ratio, "Count the F of LRU in the last turn, and those of OPT."
    )
    result_9
    return (result_9,)


@app.cell(hide_code=True)
def _(mo):
    answer_10 = mo.ui.text(label="Answer", placeholder="pages such as 0 1 2")
    mo.md(rf"""
    **Question 10.** Find a cycle yourself: requests that, repeated for ever, force FIFO with ℓ =
    1, n = 4, k = 3 to at least 3 times OPT's faults.

    {answer_10}
    """)
    return (answer_10,)


@app.cell
def _(LayeredInstance, periodic_cycle):
    def forces_fifo(period):
        cycle = periodic_cycle("fifo", LayeredInstance(1, 4, 3), list(period))
        if cycle.online == 0:
            return "FIFO has no fault in this cycle"
        return cycle.ratio >= 3 or f"this cycle has ratio {cycle.ratio}"

    return (forces_fifo,)


@app.cell(hide_code=True)
def _(answer_10, check_that, forces_fifo, whole_numbers):
    result_10 = check_that(answer_10.value, forces_fifo, "Four pages in turn.", whole_numbers)
    result_10
    return (result_10,)


@app.cell(hide_code=True)
def _(mo):
    answer_11 = mo.ui.dropdown(["0", "infinity", "unbounded", "1/0"], label="Answer")
    mo.md(rf"""
    The certificate of a cycle lists what the policy evicts, and an offline schedule that returns to its
    cache. The checker has the rules of the usual policies and follows them. Of any other policy it says
    `CONDITIONAL`, until `paging verify` has run the policy and compared its decisions.

    **Question 11.** Some cycles cost OPT nothing. What text stands for the ratio in the certificate of
    LIFO's worst cycle, ℓ = 1, n = 3, k = 2?

    {answer_11}
    """)
    return (answer_11,)


@app.cell(hide_code=True)
def _(answer_11, check, worst):
    result_11 = check(
        answer_11.value,
        lambda: worst("lifo", 1, 3, 2).certificate()["claim"]["ratio"],
        "Faults for nothing, again and again: the ratio has no bound.",
    )
    result_11
    return (result_11,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 5. Who checks the checker?

    The checker is short, and you can read it. For three types of certificates one can do better: a second
    checker is written in Coq, with a **proof** that whatever it accepts is true, of every schedule and every
    request sequence. Coq turns it into a native program; `make formal` builds it, and

        paging verify FILE --formal

    asks it. It prints the claim that it has judged: compare it with the one you care about. What is left to
    trust is Coq, the compiler, the definitions of the model (less than a page) and your eyes.
    """)
    return


@app.cell
def _(FormalError, Path, TemporaryDirectory, mo, proof, verify_formally, write_certificate):
    with TemporaryDirectory() as _folder:
        _file = Path(_folder) / "proof.json"
        write_certificate(proof, _file)
        try:
            _answer = "\n".join(verify_formally(str(_file)).lines())
        except FormalError as _error:
            _answer = str(_error)
    mo.plain_text(_answer)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What to take home

    - Claim and evidence are different things; finding is hard, checking is easy.
    - A schedule bounds OPT from above, a dual from below; together they prove the optimum.
    - A cycle proves a lower bound on a competitive ratio. For an *upper* bound one needs a potential on all
      states: what that is, the page on certificates says.
    """)
    return


@app.cell(hide_code=True)
def _(
    mo,
    result_1,
    result_10,
    result_11,
    result_2,
    result_3,
    result_4,
    result_5,
    result_6,
    result_7,
    result_8,
    result_9,
    score,
):
    mo.md(
        score(
            [
                result_1,
                result_2,
                result_3,
                result_4,
                result_5,
                result_6,
                result_7,
                result_8,
                result_9,
                result_10,
                result_11,
            ]
        )
    )
    return


if __name__ == "__main__":
    app.run()
