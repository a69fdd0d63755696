import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Paging and LRU")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Lesson 1: Paging and LRU

    *About 60 minutes. You need: nothing but patience for small examples.*

    A slow memory holds many **pages**, a fast one, the **cache**, holds at most k of them. Requests come
    one after another, each for one page. If the page is cached, that is a **hit** and costs nothing. If
    not, it is a **fault**: it costs 1, the page must be brought in, and when the cache is full another
    page, the **victim**, has to leave. The cache is empty at the start.

    Whoever chooses the victim without knowing later requests is an **online policy**. How good can it be?

    How to use this page: change the line `answer_1 = None` below a question, run the cell, and read what
    the next cell says. Answers are checked by computing, so experiment first. Nothing here is graded.
    """)
    return


@app.cell
def _():
    import marimo as mo

    from paging import LayeredInstance, RequestSequence, farthest_in_future, generate, simulate, steps
    from paging.compare import compare
    from paging.lessons import check, check_that, score
    from paging.viewer.timeline import cache_timeline

    return (
        LayeredInstance,
        RequestSequence,
        cache_timeline,
        check,
        check_that,
        compare,
        farthest_in_future,
        generate,
        mo,
        score,
        simulate,
        steps,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. Watching LRU

    **LRU** evicts the page whose last request is longest ago. Take four pages 0 … 3 and k = 3.
    """)
    return


@app.cell
def _(LayeredInstance, RequestSequence):
    small = LayeredInstance(layers=1, pages=4, cache=3)
    requests = [0, 1, 2, 0, 3, 0, 1, 2, 3, 0]
    first = RequestSequence(small, requests)
    return first, small


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 1.** Serve these ten requests by hand with LRU: draw the cache after each request, least
    recent page on the left. How many faults?
    """)
    return


@app.cell
def _():
    answer_1 = None  # a whole number
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, check, first, simulate):
    result_1 = check(
        answer_1,
        lambda: simulate("lru", first).faults,
        (
            "The first three requests always fault; after that look at what the cache holds just "
            "before each request."
        ),
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 2.** Which pages were evicted, in order? Give a list such as `[3, 0]`.
    """)
    return


@app.cell
def _():
    answer_2 = None  # a list of pages
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2, check, first, steps):
    result_2 = check(
        answer_2,
        lambda: [victim for step in steps("lru", first) for victim in step.victims],
        "There is one victim for each fault after the cache has become full.",
    )
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Compare with the picture: time goes across, a row is a page; `F` is a fault, `H` a hit, `-` cached, `x`
    evicted. Change the policy in the cell below and run it again: `"fifo"`, `"lifo"`, `"mru"`, `"lfu"`,
    `"clock"`.
    """)
    return


@app.cell
def _(cache_timeline, first, mo):
    watched = "lru"
    mo.plain_text(cache_timeline(watched, first))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 2. Other rules

    **FIFO** evicts the page that was *loaded* longest ago, **LIFO** the one loaded last, **MRU** the one
    requested last. All are online. None of them is always better than another.

    **Question 3.** Find a sequence of at most 12 requests to the pages 0 … 3, k = 3, on which FIFO has
    fewer faults than LRU.
    """)
    return


@app.cell
def _():
    answer_3 = None  # a list of pages such as [0, 1, 2]
    return (answer_3,)


@app.cell(hide_code=True)
def _(RequestSequence, answer_3, check_that, simulate, small):
    result_3 = check_that(
        answer_3,
        lambda answer: (
            len(answer) <= 12
            and simulate("fifo", RequestSequence(small, answer)).faults
            < simulate("lru", RequestSequence(small, answer)).faults
        ),
        ("FIFO must keep a page that LRU drops. When is a page recently loaded, but not recently requested?"),
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 4.** And one on which LRU has fewer faults than FIFO.
    """)
    return


@app.cell
def _():
    answer_4 = None  # a list of pages
    return (answer_4,)


@app.cell(hide_code=True)
def _(RequestSequence, answer_4, check_that, simulate, small):
    result_4 = check_that(
        answer_4,
        lambda answer: (
            len(answer) <= 12
            and simulate("lru", RequestSequence(small, answer)).faults
            < simulate("fifo", RequestSequence(small, answer)).faults
        ),
        "Request an old page again and again: FIFO does not notice.",
    )
    result_4
    return (result_4,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 3. The offline optimum

    With the whole sequence at hand one can do better. **OPT** evicts the page whose next request is
    *farthest in the future* (Belady 1966), and no schedule has fewer faults. It is no online policy: it is
    the yardstick.

    **Question 5.** How many faults has OPT on the ten requests above? Work it out before you let the
    library do it.
    """)
    return


@app.cell
def _():
    answer_5 = None  # a whole number
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, check, farthest_in_future, first):
    result_5 = check(
        answer_5,
        lambda: farthest_in_future(first).faults,
        "At each fault write down when every cached page comes next; the largest number leaves.",
    )
    result_5
    return (result_5,)


@app.cell
def _(cache_timeline, first, mo):
    mo.plain_text(cache_timeline("opt", first))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    *Think about it (5 minutes).* Suppose a schedule evicts page a where farthest-in-future evicts b, and b
    comes later than a. Change the schedule to evict b instead. Why can the change be repaired later at no
    cost? This is an **exchange argument**; it proves the rule.

    **Question 6.** However clever, every algorithm has at least as many faults as there are different pages
    in the sequence: these are the **compulsory** faults. On the ten requests above, how many faults of LRU
    could at best be saved, that is, how many has it beyond OPT?
    """)
    return


@app.cell
def _():
    answer_6 = None  # a whole number
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, check, farthest_in_future, first, simulate):
    result_6 = check(
        answer_6, lambda: simulate("lru", first).faults - farthest_in_future(first).faults, "Subtract."
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 4. The worst case for LRU

    **Question 7.** Find 12 requests to the pages 0 … 3 such that LRU with k = 3 faults on *every* one of
    them.
    """)
    return


@app.cell
def _():
    answer_7 = None  # a list of 12 pages
    return (answer_7,)


@app.cell(hide_code=True)
def _(RequestSequence, answer_7, check_that, simulate, small):
    result_7 = check_that(
        answer_7,
        lambda answer: len(answer) == 12 and simulate("lru", RequestSequence(small, answer)).faults == 12,
        "Always ask for the page that has just left.",
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Make it long, and look at the ratio of LRU's faults to OPT's as the sequence grows:
    """)
    return


@app.cell
def _(RequestSequence, farthest_in_future, mo, simulate, small):
    cycle = RequestSequence(small, [0, 1, 2, 3] * 300)
    lru_faults, opt_faults = simulate("lru", cycle).faults, farthest_in_future(cycle).faults
    mo.md(
        f"{len(cycle)} requests: LRU {lru_faults} faults, OPT {opt_faults}, "
        f"ratio {lru_faults / opt_faults:.3f}"
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    OPT needs one fault in every k requests: when it must evict, it drops the page that has just been asked
    for, which comes again last. So the ratio tends to k.

    **Question 8.** The same with k = 5 and six pages in turn. What does the ratio tend to?
    """)
    return


@app.cell
def _():
    answer_8 = None  # a number
    return (answer_8,)


@app.cell(hide_code=True)
def _(
    LayeredInstance,
    RequestSequence,
    answer_8,
    check,
    farthest_in_future,
    simulate,
):
    result_8 = check(
        answer_8,
        lambda: round(
            simulate("lru", RequestSequence(LayeredInstance(1, 6, 5), [0, 1, 2, 3, 4, 5] * 5000)).faults
            / farthest_in_future(RequestSequence(LayeredInstance(1, 6, 5), [0, 1, 2, 3, 4, 5] * 5000)).faults
        ),
        "Count OPT's faults on two rounds of the six pages.",
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    A policy is **c-competitive** if on *every* sequence its faults are at most c times OPT's, up to an
    additive constant. You have just seen that LRU is not better than k-competitive. Lesson 2 shows that it
    is k-competitive.

    ## 5. More cache, fewer faults?

    It seems obvious that a larger cache cannot hurt.

    **Question 9.** On the twelve requests below count the faults of FIFO with k = 3 and with k = 4. Give
    both as a list.
    """)
    return


@app.cell
def _(LayeredInstance, RequestSequence, simulate):
    strange = [0, 1, 2, 3, 0, 1, 4, 0, 1, 2, 3, 4]

    def faults(policy, cache):
        return simulate(policy, RequestSequence(LayeredInstance(1, 5, cache), strange)).faults

    return (faults,)


@app.cell
def _():
    answer_9 = None  # a list of two numbers: k = 3, k = 4
    return (answer_9,)


@app.cell(hide_code=True)
def _(answer_9, check, faults):
    result_9 = check(answer_9, lambda: [faults("fifo", 3), faults("fifo", 4)], 'Call faults("fifo", 3).')
    result_9
    return (result_9,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    This is **Belady's anomaly**. It cannot happen to LRU: with k slots LRU holds the k pages requested most
    recently, and these are among the k + 1 most recent ones. Such policies are called **stack** policies.

    **Question 10.** Which of these policies can you catch with an anomaly on `strange`, comparing k = 3
    with k = 4? Give a set of names out of `"lru"`, `"fifo"`, `"mru"`, `"lifo"`.
    """)
    return


@app.cell
def _():
    answer_10 = None  # a set of names such as {"lru", "mru"}
    return (answer_10,)


@app.cell(hide_code=True)
def _(answer_10, check, faults):
    result_10 = check(
        answer_10,
        lambda: {name for name in ("lru", "fifo", "mru", "lifo") if faults(name, 4) > faults(name, 3)},
        "Use the function faults for each of them.",
    )
    result_10
    return (result_10,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 6. Not everything is the worst case

    Requests of real programs repeat themselves. Below, pages are drawn with Zipf popularity: few are
    popular, most are rare. The larger alpha, the more uneven. Change alpha and look at the ratio column.
    """)
    return


@app.cell
def _(LayeredInstance, compare, generate, mo):
    alpha = 1.0
    workload = generate(f"zipf:alpha={alpha}", LayeredInstance(1, 40, 10), rounds=8000, seed=1)
    table = compare(workload, [5, 10, 20, 30], ["lru", "fifo", "lfu", "mru"])
    mo.ui.table(
        [
            {
                "policy": row.policy,
                "k": row.cache,
                "faults": row.faults,
                "ratio to OPT": f"{float(row.vs_opt):.3f}",
            }
            for row in table.rows
        ],
        selection=None,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 11.** On this workload with alpha = 1 (seed 1, 8000 requests): what is the smallest cache
    with which LRU faults on at most a tenth of the requests?
    """)
    return


@app.cell
def _(LayeredInstance, generate, simulate):
    def lru_rate(cache):
        zipf = generate("zipf:alpha=1.0", LayeredInstance(1, 40, cache), rounds=8000, seed=1)
        return simulate("lru", zipf).faults / len(zipf)

    return (lru_rate,)


@app.cell
def _():
    answer_11 = None  # a cache size
    return (answer_11,)


@app.cell(hide_code=True)
def _(answer_11, check, lru_rate):
    result_11 = check(
        answer_11,
        lambda: next(cache for cache in range(1, 41) if lru_rate(cache) <= 0.1),
        ("lru_rate(20) gives the share with 20 slots; LRU is a stack policy, so you may halve the interval."),
    )
    result_11
    return (result_11,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What to take home

    - Policies are compared with OPT, the best schedule in hindsight, which is found by *farthest in the
      future*.
    - LRU can be forced to fault k times as often as OPT, but on requests with locality it is close.
    - A finite run only *observes* a ratio. To prove one, more is needed: that is what the next lessons are
      about.
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
