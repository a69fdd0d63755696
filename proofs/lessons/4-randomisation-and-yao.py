import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Randomisation and Yao's principle")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Lesson 4: Randomisation and Yao's principle

    *About 75 minutes. You need lessons 1 to 3, and expected values.*

    The adversary of lesson 3 won because it knew what the policy would do. A policy that flips coins cannot
    be predicted, *if* the adversary must fix the sequence beforehand. Such an adversary is called
    **oblivious**. The cost is now an expected value, and the library computes it exactly on small
    instances.
    """)
    return


@app.cell
def _():
    import marimo as mo
    import numpy as np

    from adversary import expected_phase_length, get_construction, sample_ratio
    from paging import (
        LayeredInstance,
        RequestSequence,
        expected_faults,
        farthest_in_future,
        sample_faults,
        simulate,
    )
    from paging.lessons import after, check, check_that, code, score
    from proofs import get_bound

    return (
        LayeredInstance,
        RequestSequence,
        after,
        check,
        check_that,
        code,
        expected_faults,
        expected_phase_length,
        farthest_in_future,
        get_bound,
        get_construction,
        mo,
        np,
        sample_faults,
        sample_ratio,
        score,
        simulate,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. Two randomised policies

    **RANDOM** evicts a page chosen uniformly. **MARK** does so among the unmarked pages only (lesson 2).
    """)
    return


@app.cell
def _(LayeredInstance, RequestSequence):
    arena = LayeredInstance(layers=1, pages=4, cache=3)
    short = RequestSequence(arena, [0, 1, 2, 3, 0, 1])
    return arena, short


@app.cell(hide_code=True)
def _(mo):
    answer_1 = mo.ui.text(label="Answer", placeholder="a fraction such as 9/2")
    mo.md(rf"""
    **Question 1.** What does RANDOM pay in expectation for 0 1 2 3 0 1, k = 3? Four faults are certain.
    Draw the tree of what may happen before you compute.

    {answer_1}
    """)
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, check, expected_faults, short):
    result_1 = check(
        answer_1.value,
        lambda: expected_faults("random", short),
        (
            "Request 3 evicts 0, 1 or 2, each with probability 1/3. If it was 0, the next request "
            "faults and evicts one of 1, 2, 3."
        ),
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    answer_2 = mo.ui.text(label="Answer", placeholder="a fraction")
    mo.md(rf"""
    **Question 2.** And MARK?

    {answer_2}
    """)
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2, check, expected_faults, short):
    result_2 = check(
        answer_2.value,
        lambda: expected_faults("mark", short),
        "The same tree, but a page requested in the phase under way (3, then 0) is not evicted.",
    )
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    LRU faults on every one of 0 1 2 3 0 1 2 3 … On 800 such requests:
    """)
    return


@app.cell
def _(RequestSequence, arena, farthest_in_future, mo, sample_faults, simulate):
    cycle = RequestSequence(arena, [0, 1, 2, 3] * 200)
    estimates = {name: sample_faults(name, cycle, runs=40, seed=1) for name in ("random", "mark")}
    mo.md(
        f"LRU {simulate('lru', cycle).faults}, RANDOM {estimates['random'].mean:.0f}, "
        f"MARK {estimates['mark'].mean:.0f} (means of 40 runs), OPT {farthest_in_future(cycle).faults}"
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_3 = mo.ui.text(label="Answer", placeholder="a fraction")
    mo.md(rf"""
    **Question 3.** The number of faults MARK expects in a phase of this cycle, apart from the first: it is
    H_k, the k-th harmonic number. Write H_3 as a fraction.

    {answer_3}
    """)
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, arena, check, get_bound):
    result_3 = check(answer_3.value, lambda: get_bound("randomized-lower").at(arena), "1 + 1/2 + 1/3.")
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    answer_4 = mo.ui.text(label="Answer", placeholder="a fraction")
    mo.md(rf"""
    *Why H_k?* One page is new and evicts one of the k old ones. The j-th old page to be requested is
    missing with probability 1/(k − j + 1): whatever has been evicted last is equally likely to be any of
    the old pages that are not yet marked. Add up j = 1, …, k − 1 and the new page itself.

    ## 2. Yao's principle

    To show that *no* randomised policy is better than c, you would have to speak about all of them. **Yao's
    principle** turns the question round: choose a *probability distribution over sequences*, and show that
    every *deterministic* policy pays at least c times OPT on average. A randomised policy is a mixture of
    deterministic ones, so it cannot do better on average either, and some sequence must be as bad as the
    average.

    Take k + 1 pages and request a uniformly random one each time. Whatever a deterministic policy does, it
    lacks exactly one page.

    **Question 4.** With k = 3: how large is the probability of a fault at each request, once the cache is
    full?

    {answer_4}
    """)
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4, arena, check, get_construction):
    result_4 = check(
        answer_4.value,
        lambda: get_construction("uniform")(arena).value(get_construction("uniform")(arena).promise.online),
        "One of four pages is missing.",
    )
    result_4
    return (result_4,)


@app.cell(hide_code=True)
def _(mo):
    answer_5 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    OPT faults about once in a phase. How long is a phase? It ends before the request that completes the k +
    1 pages: that is the **coupon collector**. The first request of a phase is one page; then one waits for
    a second, a third, …

    **Question 5.** How many requests has a phase on average, k = 3? (Expected waiting times 4/3, 4/2 and
    4/1; the request that completes the set belongs to the next phase, while the first one of the phase came
    for free.)

    {answer_5}
    """)
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, check, expected_phase_length):
    result_5 = check(
        answer_5.value,
        lambda: expected_phase_length(1, 4),
        "Add the three waiting times.",
    )
    result_5
    return (result_5,)


@app.cell(hide_code=True)
def _(mo):
    answer_6 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 6.** Faults a request, times requests a phase, divided by OPT's one fault a phase: what ratio
    is forced?

    {answer_6}
    """)
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, arena, check, get_construction):
    result_6 = check(
        answer_6.value,
        lambda: get_construction("uniform")(arena).limit,
        "Multiply the answers of questions 4 and 5.",
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(after, arena, mo, result_6, sample_ratio):
    def experiment():
        measured = "; ".join(
            f"{name}: {sample_ratio('uniform', name, arena, rounds=2000, runs=10)}"
            for name in ("lru", "mark", "fifo")
        )
        return mo.md(f"""
        The result is H_k again: randomised paging cannot be better than H_k on k + 1 pages (Fiat et al.
        1991), and MARK reaches it there. In general MARK has 2·H_k − 1.

        An experiment, the average of ten samples with its interval: {measured}. All are the same: on
        independent requests the past helps nobody.
        """)

    after([result_6], experiment)
    return


@app.cell(hide_code=True)
def _(mo):
    _start = """\
def draw(rng, length):
    return [0 for _ in range(length)]
"""
    answer_7 = mo.ui.code_editor(_start, min_height=120).form(submit_button_label="Check", bordered=False)
    mo.md(rf"""
    **Question 7.** Choose a distribution yourself: a function `draw(rng, length)` that returns a random
    list of requests to the pages 0 … 3. Over 40 samples of 400 requests, LRU, FIFO and MARK must each pay
    at least 1.6 times what OPT pays (k = 3). The generator `rng` has `rng.integers(4)` and
    `rng.permutation(4)`.

    {answer_7}
    """)
    return (answer_7,)


@app.cell
def _(RequestSequence, arena, farthest_in_future, np, simulate):
    def forces(draw, least=1.6):
        paid = dict.fromkeys(("lru", "fifo", "mark"), 0)
        best = 0
        for number, seed in enumerate(np.random.SeedSequence(5).spawn(40)):
            requests = [int(page) for page in draw(np.random.default_rng(seed), 400)]
            sequence = RequestSequence(arena, requests)
            if len(sequence) != 400:
                return f"sample {number} has {len(sequence)} requests"
            best += farthest_in_future(sequence).faults
            for policy in paid:
                paid[policy] += simulate(policy, sequence, seed=number).faults
        policy, faults = min(paid.items(), key=lambda item: item[1])
        return faults >= least * best or f"{policy} pays only {faults / best:.3f} times what OPT pays"

    return (forces,)


@app.cell(hide_code=True)
def _(answer_7, check_that, code, forces, np):
    result_7 = check_that(
        answer_7.value,
        forces,
        ("Independent uniform requests force H_3 = 11/6 in the limit. Why may a clever pattern do worse?"),
        code(np=np),
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 3. Layers: parallel collectors

    With ℓ layers and k + 1 pages, m = (k + 1)/ℓ in every layer, request a uniformly random page of the
    layer served. A policy faults at least 1/m times a round. A phase now ends when *all* layers have shown
    all of their pages: ℓ coupon collectors at once, and the slowest of them decides. The library adds up
    geometric series; look up how long a phase is:
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    collectors = mo.ui.slider(1, 8, value=3, label="layers ℓ", show_value=True)
    coupons = mo.ui.slider(2, 4, value=3, label="pages m of a layer", show_value=True)
    mo.hstack([collectors, coupons], justify="start", wrap=True)
    return collectors, coupons


@app.cell(hide_code=True)
def _(collectors, coupons, expected_phase_length, mo):
    phase = expected_phase_length(collectors.value, coupons.value)
    mo.md(f"a phase has {phase} = {float(phase):.7f} requests on average")
    return


@app.cell(hide_code=True)
def _(mo):
    answer_8 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 8.** ℓ = 2, m = 2, so k = 3. How many requests has a phase on average?

    {answer_8}
    """)
    return (answer_8,)


@app.cell(hide_code=True)
def _(answer_8, check, expected_phase_length):
    result_8 = check(
        answer_8.value,
        lambda: expected_phase_length(2, 2),
        "Move the sliders above to ℓ = 2 and m = 2. Can you do it by hand?",
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(mo):
    answer_9 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 9.** What ratio is forced there? (Faults a round are 1/m, a round has ℓ requests.)

    {answer_9}
    """)
    return (answer_9,)


@app.cell(hide_code=True)
def _(LayeredInstance, answer_9, check, get_construction):
    result_9 = check(
        answer_9.value,
        lambda: get_construction("uniform")(LayeredInstance(2, 2, 3)).limit,
        "Phase length divided by ℓ gives rounds; divide by m.",
    )
    result_9
    return (result_9,)


@app.cell(hide_code=True)
def _(mo):
    answer_10 = mo.ui.text(label="Answer", placeholder="four numbers")
    mo.md(rf"""
    **Question 10.** Does it help the adversary to have many layers? Compute the forced ratio for m = 2 and
    ℓ = 1, 2, 4, 8 (k = 2ℓ − 1).

    {answer_10}
    """)
    return (answer_10,)


@app.cell(hide_code=True)
def _(LayeredInstance, answer_10, check, get_construction):
    result_10 = check(
        answer_10.value,
        lambda: [
            get_construction("uniform")(LayeredInstance(layers, 2, 2 * layers - 1)).limit
            for layers in (1, 2, 4, 8)
        ],
        "For each ℓ: the length of a phase from the sliders above, divided by ℓ and by m.",
    )
    result_10
    return (result_10,)


@app.cell(hide_code=True)
def _(after, mo, result_10):
    after(
        [result_10],
        lambda: mo.md(r"""
        *Discuss.* For ℓ = 1 and m = 2 the ratio is 1: k = 1, and there is nothing to decide. As ℓ grows the
        slowest of many collectors takes longer and longer, and the ratio grows like the logarithm of ℓ.
        """),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_11 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    ## 4. Oblivious is not adaptive

    **Question 11.** An adversary that *may* see the cache plays against a randomised policy as it does
    against a deterministic one: it requests what is missing. Which ratio does it force for ℓ = 1, k = 3
    (the bound `deterministic-lower`)?

    {answer_11}
    """)
    return (answer_11,)


@app.cell(hide_code=True)
def _(answer_11, arena, check, get_bound):
    result_11 = check(answer_11.value, lambda: get_bound("deterministic-lower").at(arena), "Lesson 3: k.")
    result_11
    return (result_11,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    *For the road.* The distribution `marking-tree` reveals the pages of a phase in random order and sweeps
    over the known ones again and again. It forces H_k in *every* phase, not only on average. Try `paging
    adversary marking-tree -l 1 -n 5 -k 4`, and find out what the sweeps are for.

    ## What to take home

    - Against an oblivious adversary coins help: H_k instead of k, exponentially better.
    - Yao: to bound all randomised policies, find one distribution that is bad for all deterministic ones.
    - The coupon collector is where the harmonic numbers come from, and layers make it slower.
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
