import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Your own policy in 20 lines")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Lesson 7: Your own policy in 20 lines, and how good it is

    *About 90 minutes. You need lessons 1 to 3, and a little Python.*

    Here a policy is a function on **labels**: every page has a whole number, 0 for "not cached". Serving a
    request changes the labels. That is all: the engine compares the labels before and after, counts the
    faults and refuses cheats. What a policy wants to remember it must write into its labels.
    """)
    return


@app.cell
def _():
    import marimo as mo

    from adversary import Search
    from paging import (
        IllegalAnswerError,
        LayeredInstance,
        Policy,
        RequestSequence,
        generate,
        get_policy,
        phase_starts,
        simulate,
        steps,
    )
    from paging.lessons import after, check, check_that, code, score
    from paging.testing import check_policy, find_counterexample
    from paging.viewer.timeline import cache_timeline
    from proofs import get_bound

    return (
        IllegalAnswerError,
        LayeredInstance,
        Policy,
        RequestSequence,
        Search,
        after,
        cache_timeline,
        check,
        check_policy,
        check_that,
        code,
        find_counterexample,
        generate,
        get_bound,
        get_policy,
        mo,
        phase_starts,
        score,
        simulate,
        steps,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. FIFO, written out

    The label is the rank by arrival: 1 for the newest page, k for the next victim.
    """)
    return


@app.cell(hide_code=True)
def _(Policy, code, mo):
    fifo_source = """\
class MyFifo(Policy):
    id, title = "my-fifo", "first in, first out"
    traits = frozenset({"deterministic", "online", "demand", "conservative"})

    @staticmethod
    def serve(labels, page, slot, frame):
        if labels[page] > 0:
            return  # a hit changes nothing
        for q in range(len(labels)):
            if labels[q] == frame.cache:
                labels[q] = 0  # the oldest page leaves a full cache
            elif labels[q] > 0:
                labels[q] += 1  # all others grow older
        labels[page] = 1
"""
    MyFifo = code(Policy=Policy)(fifo_source)
    mo.md(f"```python\n{fifo_source}```")
    return MyFifo, fifo_source


@app.cell
def _(LayeredInstance, MyFifo, RequestSequence, cache_timeline, mo):
    classical = LayeredInstance(layers=1, pages=4, cache=3)
    shown = RequestSequence(classical, [0, 1, 2, 0, 3, 0, 1])
    mo.plain_text(cache_timeline(MyFifo, shown))
    return classical, shown


@app.cell(hide_code=True)
def _(mo):
    answer_1 = mo.ui.text(label="Answer", placeholder="four numbers")
    mo.md(rf"""
    **Question 1.** What are the labels of the four pages after these seven requests?

    {answer_1}
    """)
    return (answer_1,)


@app.cell(hide_code=True)
def _(MyFifo, answer_1, check, shown, steps):
    result_1 = check(
        answer_1.value,
        lambda: list([*steps(MyFifo, shown)][-1].labels),
        "Three pages have the ranks 1, 2, 3; the one that is not cached has 0.",
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    It is the same policy as the built-in one, and the library can tell:
    """)
    return


@app.cell
def _(LayeredInstance, MyFifo, generate, mo, simulate):
    random_requests = generate("zipf:alpha=1", LayeredInstance(1, 12, 5), rounds=2000, seed=3)
    mo.md(f"{simulate(MyFifo, random_requests).faults} = {simulate('fifo', random_requests).faults} faults")
    return (random_requests,)


@app.cell(hide_code=True)
def _(fifo_source, mo):
    answer_2 = mo.ui.code_editor(fifo_source, min_height=120).form(
        submit_button_label="Check", bordered=False
    )
    mo.md(rf"""
    ## 2. Rules are enforced

    **Question 2.** Write a policy that cheats: on some request it brings in a page that was not requested.
    Change FIFO below. The engine must refuse it.

    {answer_2}
    """)
    return (answer_2,)


@app.cell
def _(IllegalAnswerError, RequestSequence, classical, simulate):
    def is_refused(policy):
        try:
            simulate(policy, RequestSequence(classical, [0, 1, 2, 3, 0, 1, 2, 3]))
        except IllegalAnswerError as error:
            return "appeared" in str(error) or f"refused, but for another reason: {error}"
        return "the engine has no objection"

    return (is_refused,)


@app.cell(hide_code=True)
def _(Policy, answer_2, check_that, code, is_refused):
    result_2 = check_that(
        answer_2.value,
        is_refused,
        "In serve, give the requested page label 1 and another one, too.",
        code(Policy=Policy),
    )
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 3. Claims are tested

    `traits` are claims. The **battery** tries to refute them on thousands of small sequences and shows the
    smallest counterexample. Is FIFO a marking algorithm?
    """)
    return


@app.cell
def _(MyFifo, find_counterexample, mo):
    caught = find_counterexample(MyFifo, "marking")
    mo.plain_text(str(caught))
    return (caught,)


@app.cell(hide_code=True)
def _(mo):
    answer_3 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 3.** At which request did the k-phase begin in which FIFO is caught?

    {answer_3}
    """)
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, caught, check, phase_starts):
    result_3 = check(
        answer_3.value,
        lambda: phase_starts(caught.sequence, caught.sequence.instance.cache)[-1],
        "Cut as in lesson 2: a phase ends before the request that would make it k + 1 different pages.",
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(fifo_source, mo):
    answer_4 = mo.ui.code_editor(fifo_source, min_height=120).form(
        submit_button_label="Check", bordered=False
    )
    mo.md(rf"""
    **Question 4.** Turn `MyFifo` into LRU: write a class that evicts the least recently requested page. It
    must pass the battery with the traits `{{"deterministic", "online", "demand", "marking", "stack"}}` and
    have as many faults as LRU. Change one thing in FIFO: what happens on a hit?

    {answer_4}
    """)
    return (answer_4,)


@app.cell
def _(check_policy, random_requests, simulate):
    def is_lru(policy):
        needed = {"deterministic", "online", "demand", "marking", "stack"}
        if not needed <= policy.traits:
            return f"claim also {', '.join(sorted(needed - policy.traits))}"
        ours, theirs = simulate(policy, random_requests).faults, simulate("lru", random_requests).faults
        if ours != theirs:
            return f"{ours} faults, but LRU has {theirs}"
        check_policy(policy, examples=10)
        return True

    return (is_lru,)


@app.cell(hide_code=True)
def _(Policy, answer_4, check_that, code, is_lru):
    result_4 = check_that(
        answer_4.value,
        is_lru,
        (
            "On a hit all pages with a smaller rank than the requested one grow older by one, and the"
            " requested page gets rank 1."
        ),
        code(Policy=Policy),
    )
    result_4
    return (result_4,)


@app.cell(hide_code=True)
def _(fifo_source, mo):
    answer_5 = mo.ui.code_editor(fifo_source, min_height=120).form(
        submit_button_label="Check", bordered=False
    )
    mo.md(rf"""
    ## 4. Your own rule

    Now invent one. Some ideas: evict a page of the layer just served; evict the middle page of the recency
    order; protect pages that were hit at least once (two classes of labels); look at `slot` (the position
    in the round) and `frame.layer_of`.

    **Question 5.** Write a deterministic policy that is not LRU and not FIFO, passes the battery with at
    least `{{"deterministic", "online", "demand"}}`, and has at most 5 % more faults than LRU on the layered
    requests below.

    {answer_5}
    """)
    return (answer_5,)


@app.cell
def _(LayeredInstance, check_policy, generate, simulate):
    layered = generate("zipf:alpha=1", LayeredInstance(layers=8, pages=6, cache=16), rounds=1500, seed=7)

    def is_a_decent_policy(policy):
        if not {"deterministic", "online", "demand"} <= policy.traits:
            return "claim deterministic, online and demand"
        ours = simulate(policy, layered).faults
        for known in ("lru", "fifo"):
            if ours == simulate(known, layered).faults:
                return f"as many faults as {known}: is it another policy?"
        lru = simulate("lru", layered).faults
        if ours > 1.05 * lru:
            return f"{ours} faults; LRU has {lru}"
        check_policy(policy, examples=10)
        return True

    return (is_a_decent_policy,)


@app.cell(hide_code=True)
def _(Policy, answer_5, check_that, code, is_a_decent_policy):
    result_5 = check_that(
        answer_5.value,
        is_a_decent_policy,
        (
            "Start from LRU, but choose the victim a little differently: for instance the second "
            "oldest page if it is of the layer just served."
        ),
        code(Policy=Policy),
    )
    result_5
    return (result_5,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 5. How good is it in the worst case?

    A workload says little about guarantees. The search of lesson 3 takes *your* policy, too.
    """)
    return


@app.cell
def _(LayeredInstance, Search, get_policy):
    def worst_ratio(policy, layers, pages, cache):
        search = Search(get_policy(policy), LayeredInstance(layers, pages, cache))
        search.run()
        return search.best.ratio

    return (worst_ratio,)


@app.cell(hide_code=True)
def _(mo):
    shape = mo.ui.dropdown(
        {"(1, 3, 2)": (1, 3, 2), "(1, 4, 3)": (1, 4, 3), "(2, 2, 3)": (2, 2, 3), "(2, 3, 4)": (2, 3, 4)},
        value="(1, 4, 3)",
        label="FIFO, written out, at (ℓ, n, k) =",
    )
    return (shape,)


@app.cell(hide_code=True)
def _(MyFifo, mo, shape, worst_ratio):
    mo.hstack([shape, mo.md(f"worst ratio {worst_ratio(MyFifo, *shape.value)}")], justify="start", wrap=True)
    return


@app.cell(hide_code=True)
def _(mo):
    answer_6 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 6.** What is the worst ratio of `MyFifo` at (ℓ, n, k) = (2, 2, 3)?

    {answer_6}
    """)
    return (answer_6,)


@app.cell(hide_code=True)
def _(MyFifo, answer_6, check, worst_ratio):
    result_6 = check(answer_6.value, lambda: worst_ratio(MyFifo, 2, 2, 3), "Choose (2, 2, 3) above.")
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(fifo_source, mo):
    answer_7 = mo.ui.code_editor(fifo_source, min_height=120).form(
        submit_button_label="Check", bordered=False
    )
    mo.md(rf"""
    With one layer nothing deterministic is below k. With two layers the known bound is only k − ℓ + 1. So
    there may be room!

    **Question 7 (hard).** Write a policy whose worst ratio at (2, 2, 3) is below 3. There are four pages,
    one of which is missing whenever the cache is full. On a fault you choose between the other page of the
    *same* layer and a page of the *other* layer. If you evict from the same layer, the adversary must wait
    a whole round before it can ask for the victim. But do so *always*, and it asks for these two pages in
    turn, while OPT keeps both: the ratio is unbounded. Lesson 2 has the remedy.

    {answer_7}
    """)
    return (answer_7,)


@app.cell
def _(worst_ratio):
    def beats_k(policy):
        ratio = worst_ratio(policy, 2, 2, 3)
        return ratio < 3 or f"the worst ratio is {ratio}"

    return (beats_k,)


@app.cell(hide_code=True)
def _(Policy, answer_7, beats_k, check_that, code):
    result_7 = check_that(
        answer_7.value,
        beats_k,
        (
            "Be a marking algorithm (label 2: marked, 1: unmarked), and among the unmarked pages "
            "prefer one of the layer being served: frame.layer_of[page]."
        ),
        code(Policy=Policy),
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    answer_8 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    *Discuss.* Compare with the policy `"mark-layer"` of the registry, and with what is proved of it when
    there are k + 1 pages (`paging bounds mark-layer-small`). What do both do at (2, 3, 4), where there are
    more pages? What do they no longer know about OPT? The policy `"zrc"` knows it.

    **Question 8.** By how much can such a rule be better? What does the lower bound L2 say at (2, 2, 3), k
    − ℓ + 1?

    {answer_8}
    """)
    return (answer_8,)


@app.cell(hide_code=True)
def _(LayeredInstance, answer_8, check, get_bound):
    result_8 = check(answer_8.value, lambda: get_bound("L2").at(LayeredInstance(2, 2, 3)), "k = 3, ℓ = 2.")
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 6. A policy in a package

    Save your class in a file `mymodule.py`; then every command knows it:

        paging run mymodule:MyPolicy lru --workload zipf:rounds=2000 -l 8 -n 6 -k 16
        paging adversary search mymodule:MyPolicy -l 2 -n 3 -k 4
        python -m pytest --paging-policy mymodule:MyPolicy

    ## What to take home

    - A policy is a function on labels; the engine owns cache and cost.
    - Claims are tested by trying to refute them; the smallest counterexample teaches most.
    - A good average and a good worst case are different things. Measure both.
    """)
    return


@app.cell(hide_code=True)
def _(
    mo,
    result_1,
    result_2,
    result_3,
    result_4,
    result_5,
    result_6,
    result_7,
    result_8,
    score,
):
    mo.md(score([result_1, result_2, result_3, result_4, result_5, result_6, result_7, result_8]))
    return


if __name__ == "__main__":
    app.run()
