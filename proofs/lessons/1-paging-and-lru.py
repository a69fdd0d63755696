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

    How to use this page: type your answer into the field below a question and press Enter; the line below
    says whether it is right, and gives a hint if it is not. Answers are checked by computing, so experiment
    first. What would give an answer away is shown when you have found it. Nothing here is graded.
    """)
    return


@app.cell
def _():
    import marimo as mo

    from paging import LayeredInstance, RequestSequence, farthest_in_future, generate, simulate, steps
    from paging.compare import compare
    from paging.html import table
    from paging.lessons import after, check, check_that, score, whole_numbers
    from paging.viewer import film_of
    from paging.viewer.page import lesson_page
    from paging.viewer.timeline import cache_timeline

    return (
        LayeredInstance,
        RequestSequence,
        after,
        cache_timeline,
        check,
        check_that,
        compare,
        farthest_in_future,
        film_of,
        generate,
        lesson_page,
        mo,
        score,
        simulate,
        steps,
        table,
        whole_numbers,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. Watching LRU

    **LRU** evicts the page whose last request is longest ago. Take four pages 0 … 3, k = 3, and ten
    requests:
    """)
    return


@app.cell
def _(LayeredInstance, RequestSequence, mo):
    small = LayeredInstance(layers=1, pages=4, cache=3)
    first = RequestSequence(small, [0, 1, 2, 0, 3, 0, 1, 2, 3, 0])
    mo.md(f"**{' '.join(map(str, first))}**")
    return first, small


@app.cell(hide_code=True)
def _(mo):
    answer_1 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 1.** Serve these ten requests by hand with LRU: draw the cache after each request, least
    recent page on the left. How many faults?

    {answer_1}
    """)
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, check, first, simulate):
    result_1 = check(
        answer_1.value,
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
    answer_2 = mo.ui.text(label="Answer", placeholder="pages such as 0 1 2")
    mo.md(rf"""
    **Question 2.** Which pages were evicted, in order?

    {answer_2}
    """)
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2, check, first, steps):
    result_2 = check(
        answer_2.value,
        lambda: [victim for step in steps("lru", first) for victim in step.victims],
        "There is one victim for each fault after the cache has become full.",
    )
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    watched = mo.ui.dropdown(["lru", "fifo", "lifo", "mru", "lfu", "clock"], value="lru", label="Policy")
    return (watched,)


@app.cell(hide_code=True)
def _(after, cache_timeline, first, mo, result_1, result_2, watched):
    after(
        [result_1, result_2],
        lambda: mo.vstack(
            [
                mo.md("""
                Compare with the picture: time goes across, a row is a page; `F` is a fault, `H` a hit, `-`
                cached, `x` evicted. Choose other policies, too.
                """),
                watched,
                mo.plain_text(cache_timeline(watched.value, first)),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_3 = mo.ui.text(label="Answer", placeholder="pages such as 0 1 2")
    mo.md(rf"""
    ## 2. Other rules

    **FIFO** evicts the page that was *loaded* longest ago, **LIFO** the one loaded last, **MRU** the one
    requested last. All are online. None of them is always better than another.

    **Question 3.** Find a sequence of at most 12 requests to the pages 0 … 3, k = 3, on which FIFO has
    fewer faults than LRU.

    {answer_3}
    """)
    return (answer_3,)


@app.cell(hide_code=True)
def _(RequestSequence, answer_3, check_that, simulate, small, whole_numbers):
    result_3 = check_that(
        answer_3.value,
        lambda answer: (
            len(answer) <= 12
            and simulate("fifo", RequestSequence(small, answer)).faults
            < simulate("lru", RequestSequence(small, answer)).faults
        ),
        ("FIFO must keep a page that LRU drops. When is a page recently loaded, but not recently requested?"),
        whole_numbers,
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    answer_4 = mo.ui.text(label="Answer", placeholder="pages such as 0 1 2")
    mo.md(rf"""
    **Question 4.** And one on which LRU has fewer faults than FIFO.

    {answer_4}
    """)
    return (answer_4,)


@app.cell(hide_code=True)
def _(RequestSequence, answer_4, check_that, simulate, small, whole_numbers):
    result_4 = check_that(
        answer_4.value,
        lambda answer: (
            len(answer) <= 12
            and simulate("lru", RequestSequence(small, answer)).faults
            < simulate("fifo", RequestSequence(small, answer)).faults
        ),
        "Request an old page again and again: FIFO does not notice.",
        whole_numbers,
    )
    result_4
    return (result_4,)


@app.cell(hide_code=True)
def _(mo):
    answer_5 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    ## 3. The offline optimum

    With the whole sequence at hand one can do better. **OPT** evicts the page whose next request is
    *farthest in the future* (Belady 1966), and no schedule has fewer faults. It is no online policy: it is
    the yardstick.

    **Question 5.** How many faults has OPT on the ten requests above?

    {answer_5}
    """)
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, check, farthest_in_future, first):
    result_5 = check(
        answer_5.value,
        lambda: farthest_in_future(first).faults,
        "At each fault write down when every cached page comes next; the largest number leaves.",
    )
    result_5
    return (result_5,)


@app.cell(hide_code=True)
def _(after, film_of, first, lesson_page, mo, result_1, result_5, simulate):
    after(
        [result_1, result_5],
        lambda: mo.vstack(
            [
                mo.md("LRU and OPT side by side, request by request:"),
                mo.iframe(lesson_page(film_of(simulate("lru", first, record=True))), height="600px"),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_6 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    *Think about it (5 minutes).* Suppose a schedule evicts page a where farthest-in-future evicts b, and b
    comes later than a. Change the schedule to evict b instead. Why can the change be repaired later at no
    cost? This is an **exchange argument**; it proves the rule.

    **Question 6.** However clever, every algorithm has at least as many faults as there are different pages
    in the sequence: these are the **compulsory** faults. On the ten requests above, how many faults of LRU
    could at best be saved, that is, how many has it beyond OPT?

    {answer_6}
    """)
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, check, farthest_in_future, first, simulate):
    result_6 = check(
        answer_6.value, lambda: simulate("lru", first).faults - farthest_in_future(first).faults, "Subtract."
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(mo):
    answer_7 = mo.ui.text(label="Answer", placeholder="pages such as 0 1 2")
    mo.md(rf"""
    ## 4. The worst case for LRU

    **Question 7.** Find 12 requests to the pages 0 … 3 such that LRU with k = 3 faults on *every* one of
    them.

    {answer_7}
    """)
    return (answer_7,)


@app.cell(hide_code=True)
def _(RequestSequence, answer_7, check_that, simulate, small, whole_numbers):
    result_7 = check_that(
        answer_7.value,
        lambda answer: len(answer) == 12 and simulate("lru", RequestSequence(small, answer)).faults == 12,
        "Always ask for the page that has just left.",
        whole_numbers,
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    slots = mo.ui.slider(1, 8, value=3, label="cache size k", show_value=True)
    turns = mo.ui.slider(1, 300, value=10, label="turns", show_value=True)
    return slots, turns


@app.cell
def _(LayeredInstance, RequestSequence, farthest_in_future, simulate):
    def cycle_faults(cache, turns):
        cycle = RequestSequence(LayeredInstance(1, cache + 1, cache), [*range(cache + 1)] * turns)
        return simulate("lru", cycle).faults, farthest_in_future(cycle).faults

    return (cycle_faults,)


@app.cell(hide_code=True)
def _(after, cycle_faults, mo, result_7, slots, turns):
    def ratio_now():
        lru_faults, opt_faults = cycle_faults(slots.value, turns.value)
        return mo.md(
            f"k + 1 = {slots.value + 1} pages in turn, {turns.value} times: LRU {lru_faults} faults, "
            f"OPT {opt_faults}, ratio {lru_faults / opt_faults:.3f}"
        )

    after(
        [result_7],
        lambda: mo.vstack(
            [mo.md("k + 1 pages in turn. Make it long, and watch the ratio:"), slots, turns, ratio_now()]
        ),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_8 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 8.** With k = 5 and six pages in turn, for ever: what does the ratio tend to?

    {answer_8}
    """)
    return (answer_8,)


@app.cell(hide_code=True)
def _(answer_8, check, cycle_faults):
    result_8 = check(
        answer_8.value,
        lambda: round(cycle_faults(5, 5000)[0] / cycle_faults(5, 5000)[1]),
        "Count OPT's faults on two turns of the six pages.",
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(after, mo, result_8):
    after(
        [result_8],
        lambda: mo.md(r"""
        OPT needs one fault in every k requests: when it must evict, it drops the page that has just been
        asked for, which comes again last. So the ratio tends to k.

        A policy is **c-competitive** if on *every* sequence its faults are at most c times OPT's, up to an
        additive constant. You have just seen that LRU is not better than k-competitive. Lesson 2 shows that
        it is k-competitive.
        """),
    )
    return


@app.cell
def _(LayeredInstance, RequestSequence, simulate):
    strange = [0, 1, 2, 3, 0, 1, 4, 0, 1, 2, 3, 4]

    def faults(policy, cache):
        return simulate(policy, RequestSequence(LayeredInstance(1, 5, cache), strange)).faults

    return faults, strange


@app.cell(hide_code=True)
def _(mo, strange):
    answer_9 = mo.ui.text(label="Answer", placeholder="two numbers")
    mo.md(rf"""
    ## 5. More cache, fewer faults?

    It seems obvious that a larger cache cannot hurt.

    **Question 9.** On the twelve requests {" ".join(map(str, strange))} count the faults of FIFO with k = 3
    and with k = 4, in this order.

    {answer_9}
    """)
    return (answer_9,)


@app.cell(hide_code=True)
def _(answer_9, check, faults):
    result_9 = check(
        answer_9.value, lambda: [faults("fifo", 3), faults("fifo", 4)], "FIFO forgets hits: write the queue."
    )
    result_9
    return (result_9,)


@app.cell(hide_code=True)
def _(mo):
    caught = mo.ui.dropdown(["lru", "fifo", "mru", "lifo"], value="lru", label="Policy")
    return (caught,)


@app.cell(hide_code=True)
def _(after, caught, faults, mo, result_9):
    after(
        [result_9],
        lambda: mo.hstack(
            [
                caught,
                mo.md(f"k = 3: {faults(caught.value, 3)} faults; k = 4: {faults(caught.value, 4)} faults"),
            ],
            justify="start",
            wrap=True,
        ),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_10 = mo.ui.multiselect(["lru", "fifo", "mru", "lifo"], label="Answer")
    mo.md(rf"""
    This is **Belady's anomaly**. It cannot happen to LRU: with k slots LRU holds the k pages requested most
    recently, and these are among the k + 1 most recent ones. Such policies are called **stack** policies.

    **Question 10.** Which of these policies can you catch with an anomaly on these twelve
    requests, comparing k = 3 with k = 4?

    {answer_10}
    """)
    return (answer_10,)


@app.cell(hide_code=True)
def _(answer_10, check, faults):
    result_10 = check(
        answer_10.value,
        lambda: {name for name in ("lru", "fifo", "mru", "lifo") if faults(name, 4) > faults(name, 3)},
        "Choose each of them above and compare.",
    )
    result_10
    return (result_10,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 6. Not everything is the worst case

    Requests of real programs repeat themselves. Below, pages are drawn with Zipf popularity: few are
    popular, most are rare. The larger alpha, the more uneven. Move alpha and look at the column of ratios.
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    alpha = mo.ui.slider(0, 2, step=0.1, value=1, label="alpha", show_value=True)
    alpha
    return (alpha,)


@app.cell
def _(LayeredInstance, alpha, compare, generate, mo, table):
    workload = generate(f"zipf:alpha={alpha.value}", LayeredInstance(1, 40, 10), rounds=8000, seed=1)
    compared = compare(workload, [5, 10, 20, 30], ["lru", "fifo", "lfu", "mru"])
    mo.Html(
        table(
            f"{len(workload):,} requests to 40 pages, alpha = {alpha.value}",
            ["policy", "k", "faults", "ratio to OPT"],
            [
                [row.policy, str(row.cache), f"{row.faults:,}", f"{float(row.vs_opt):.3f}"]
                for row in compared.rows
            ],
        )
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_11 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 11.** With alpha = 1: what is the smallest cache
    with which LRU faults on at most a tenth of the requests?

    {answer_11}
    """)
    return (answer_11,)


@app.cell
def _(LayeredInstance, generate, simulate):
    def lru_rate(cache):
        zipf = generate("zipf:alpha=1.0", LayeredInstance(1, 40, cache), rounds=8000, seed=1)
        return simulate("lru", zipf).faults / len(zipf)

    return (lru_rate,)


@app.cell(hide_code=True)
def _(mo):
    size = mo.ui.slider(1, 40, value=5, label="cache size k", show_value=True)
    size
    return (size,)


@app.cell(hide_code=True)
def _(lru_rate, mo, size):
    mo.md(f"LRU with k = {size.value} faults on {100 * lru_rate(size.value):.1f} % of the requests")
    return


@app.cell(hide_code=True)
def _(answer_11, check, lru_rate):
    result_11 = check(
        answer_11.value,
        lambda: next(cache for cache in range(1, 41) if lru_rate(cache) <= 0.1),
        "Move the slider below; LRU is a stack policy, so a larger cache never has more faults.",
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
