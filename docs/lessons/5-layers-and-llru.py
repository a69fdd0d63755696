import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Layers and LLRU")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Lesson 5: Layers and LLRU

    *About 75 minutes. You need lessons 1 and 2.*

    A Mixture-of-Experts model visits its layers in turn, and each asks for one of its experts. So the cache
    knows something about the future: *when* a page may be requested next. Request number t goes to layer t
    mod ℓ; a **round** is ℓ requests, one token. Does the knowledge help?
    """)
    return


@app.cell
def _():
    import marimo as mo

    from adversary import Search, get_construction
    from paging import LayeredInstance, generate, steps
    from paging.compare import compare
    from paging.lessons import check, check_that, score
    from paging.viewer.timeline import cache_timeline
    from proofs import get_bound

    return (
        LayeredInstance,
        Search,
        cache_timeline,
        check,
        check_that,
        compare,
        generate,
        get_bound,
        get_construction,
        mo,
        score,
        steps,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. The model

    Pages are numbered layer after layer: with ℓ = 2 layers of n = 3 pages, 0 1 2 are in layer 0 and 3 4 5
    in layer 1.
    """)
    return


@app.cell
def _(LayeredInstance):
    two = LayeredInstance(layers=2, pages=3, cache=4)
    return (two,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 1.** Which of these is a legal sequence: `[0, 3, 1, 5]`, `[0, 1, 3, 4]`, `[3, 0, 4, 1]`? Give
    it.
    """)
    return


@app.cell
def _():
    answer_1 = None  # a list
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, check):
    result_1 = check(
        answer_1, lambda: [0, 3, 1, 5], "Requests alternate between the layers, beginning with layer 0."
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 2.** Page 4 has just been requested, at time 7. At what time can it be requested again at the
    earliest?
    """)
    return


@app.cell
def _():
    answer_2 = None  # a time
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2, check, two):
    result_2 = check(answer_2, lambda: 7 + two.layers, "Its layer is served once a round.")
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 2. LRU, with the tie-break the other way round

    Let a fault happen at time t, in layer c. For a cached page q of layer j with last request last(q):

    - next(q) is the first time after t at which layer j is served again,
    - age(q) = (next(q) − last(q)) / ℓ, a whole number of rounds: from the last use to the next *possible*
      use.

    LRU evicts the page with the smallest last(q): that is the largest age, and among equal ages the one
    requested *least* recently. **LLRU** (our reading of the rule) takes the largest age, and among equal
    ages the largest next(q): the page whose layer comes up *last*.

    **Question 3.** ℓ = 3, a fault at t = 12. Page a of layer 0 was last requested at 9, page b of layer 1
    at 10, page c of layer 2 at 8. Give the ages of a, b, c as a list. (Layer 0 is the one being served at
    12.)
    """)
    return


@app.function
def age(last, time, layers):
    until = (last - time) % layers or layers  # requests until the layer of this page is served again
    return (time + until - last) // layers


@app.cell
def _():
    answer_3 = None  # a list of three numbers
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, check):
    result_3 = check(
        answer_3,
        lambda: [age(last, 12, 3) for last in (9, 10, 8)],
        "next(a) = 15, next(b) = 13, next(c) = 14.",
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 4.** Write LLRU's choice: a function of a dictionary {page: time of its last request}, the
    time of the fault and ℓ, that returns the victim. It must agree with the library on 3000 requests for ℓ
    = 3 and ℓ = 5.
    """)
    return


@app.cell
def _(LayeredInstance, generate, steps):
    def agrees_with_llru(victim):
        for layers in (3, 5):
            instance = LayeredInstance(layers=layers, pages=4, cache=2 * layers + 1)
            sequence = generate("zipf:alpha=0.8", instance, rounds=3000 // layers, seed=4)
            last = {}
            for step in steps("llru", sequence):
                if step.victims:
                    chosen = victim(dict(last), step.time, layers)
                    if chosen != step.victims[0]:
                        return f"ℓ = {layers}, time {step.time}, last requests {last}: not {chosen}"
                    del last[step.victims[0]]
                last[step.page] = step.time
        return True

    # For example: def answer_4(last, time, layers): return max(last, key=lambda page: ...)
    return (agrees_with_llru,)


@app.cell
def _():
    answer_4 = None  # a function of last, time and layers
    return (answer_4,)


@app.cell(hide_code=True)
def _(agrees_with_llru, answer_4, check_that):
    result_4 = check_that(
        answer_4,
        agrees_with_llru,
        (
            "max(last, key=...) with the pair (age, next) as the key; the layer of a page is "
            "last[page] % layers."
        ),
    )
    result_4
    return (result_4,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Look at both rules at work on the same requests:
    """)
    return


@app.cell
def _(cache_timeline, generate, mo, two):
    same = generate("zipf:alpha=0.8", two, rounds=30, seed=2)
    mo.plain_text(cache_timeline("lru", same) + "\n\n" + cache_timeline("llru", same))
    return (same,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 5.** At which request (time) do LRU and LLRU evict different pages for the first time on
    `same`?
    """)
    return


@app.cell
def _():
    answer_5 = None  # a time
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, check, same, steps):
    result_5 = check(
        answer_5,
        lambda: next(
            a.time
            for a, b in zip(steps("lru", same), steps("llru", same), strict=True)
            if a.victims != b.victims
        ),
        "Compare the x marks column by column.",
    )
    result_5
    return (result_5,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 3. Is it better?

    Thirty-two layers of eight experts, as Mixtral-8x7B has, with Zipf popularity in every layer.
    """)
    return


@app.cell
def _(LayeredInstance, compare, generate, mo):
    big = LayeredInstance(layers=32, pages=8, cache=48)
    tokens = generate("zipf:alpha=1", big, rounds=1500, seed=1)
    table = compare(tokens, [32, 48, 64, 96, 160], ["lru", "llru", "llru-lazy", "fifo"])
    mo.ui.table(
        [
            {
                "policy": row.policy,
                "k": row.cache,
                "faults": row.faults,
                "less than LRU": f"{100 * float(row.saving):.1f} %",
            }
            for row in table.rows
        ],
        selection=None,
    )
    return (table,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 6.** How many per cent fewer faults has LLRU than LRU on `tokens` at k = 48? One decimal.
    """)
    return


@app.cell
def _():
    answer_6 = None  # a number such as 12.3
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, check, table):
    result_6 = check(
        answer_6,
        lambda: round(100 * float(table.row("llru", 48).saving), 1),
        'Read the table; or table.row("llru", 48).saving.',
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 7.** And which share of what OPT saves over LRU is that, in per cent, no decimals?
    """)
    return


@app.cell
def _():
    answer_7 = None  # a whole number
    return (answer_7,)


@app.cell(hide_code=True)
def _(answer_7, check, table):
    result_7 = check(
        answer_7,
        lambda: round(100 * float(table.row("llru", 48).saving / table.row("opt", 48).saving)),
        "Divide the saving of LLRU by that of OPT.",
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    *Discuss.* Change `zipf:alpha=1` to `sticky:p=0.8`: every layer likes to repeat its last page. Why does
    LLRU's advantage shrink? (Which pages does plain LRU keep then?)

    ## 4. Do not split the cache

    One might give every layer its own k/ℓ slots. It is simple, and it is bad: no fixed split is
    competitive. The poorest layer i has k_i slots. Ask it for k_i + 1 pages in turn; ask every other layer
    for the same page each time.
    """)
    return


@app.cell
def _(LayeredInstance, get_construction):
    split = get_construction("fixed-split-cyclic")(LayeredInstance(2, 4, 4), rounds=600)
    split.check(split.run("partitioned"))
    return (split,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 8.** How many faults has the split, `"partitioned"`, on these 600 rounds, and how many the
    offline schedule with a shared cache? Give both.
    """)
    return


@app.cell
def _():
    answer_8 = None  # a list of two numbers
    return (answer_8,)


@app.cell(hide_code=True)
def _(answer_8, check, split):
    result_8 = check(
        answer_8,
        lambda: [split.run("partitioned").faults, split.offline.faults],
        'split.run("partitioned").faults and split.offline.faults',
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    The offline side pays a constant: it loads the few pages in play once. The ratio grows for ever.

    ## 5. How bad can LRU and LLRU be?

    With layers the cycle through k + 1 pages needs (k + 1)/ℓ pages in each layer.

    **Question 9.** ℓ = 3, n = 4: for which k is LRU proved to be forced to a ratio of k by this cycle
    (bound `L3`)? Give the set of all k from 1 to 12.
    """)
    return


@app.cell
def _():
    answer_9 = None  # a set of cache sizes
    return (answer_9,)


@app.cell(hide_code=True)
def _(LayeredInstance, answer_9, check, get_bound):
    result_9 = check(
        answer_9,
        lambda: {k for k in range(1, 13) if get_bound("L3").excluded(LayeredInstance(3, 4, k)) is None},
        "ℓ must divide k + 1, and (k + 1)/ℓ ≤ n.",
    )
    result_9
    return (result_9,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    LLLRU does better on that cycle. But it is no marking algorithm: it may evict a page of the phase under
    way, since pages of the layer being served look a round older than they are.

    **Question 10.** Such an early eviction can only hit a page requested in the first ℓ − 1 requests of the
    phase, so LLRU pays at most k + ℓ − 1 a phase. What is the bound `L5` at (ℓ, n, k) = (2, 4, 6)?
    """)
    return


@app.cell
def _():
    answer_10 = None  # a number
    return (answer_10,)


@app.cell(hide_code=True)
def _(LayeredInstance, answer_10, check, get_bound):
    result_10 = check(answer_10, lambda: get_bound("L5").at(LayeredInstance(2, 4, 6)), "k + ℓ − 1.")
    result_10
    return (result_10,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Is it really worse than k there? A search through all states says so. It takes a few seconds.
    """)
    return


@app.cell
def _(LayeredInstance, Search, mo):
    search = Search("llru", LayeredInstance(2, 4, 6))
    search.run()
    worst = search.best
    mo.md(f"a cycle of {len(worst.requests)} requests: LLRU {worst.online} faults, OPT {worst.offline}")
    return (worst,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 11.** What ratio does the cycle force?
    """)
    return


@app.cell
def _():
    answer_11 = None  # a fraction
    return (answer_11,)


@app.cell(hide_code=True)
def _(answer_11, check, worst):
    result_11 = check(answer_11, lambda: worst.ratio, "worst.ratio")
    result_11
    return (result_11,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    **Question 12.** So LLRU saves faults on typical requests, and its worst case is worse than that of LRU.
    Check the second half of the sentence: what is the worst ratio of LRU at (2, 4, 6)? You may search, or
    use a bound from lesson 2 and the cycle below.
    """)
    return


@app.cell
def _(LayeredInstance, Search):
    lru_search = Search("lru", LayeredInstance(2, 4, 6))
    lru_search.run()
    return (lru_search,)


@app.cell
def _():
    answer_12 = None  # a number
    return (answer_12,)


@app.cell(hide_code=True)
def _(answer_12, check, lru_search):
    result_12 = check(
        answer_12,
        lambda: lru_search.best.ratio,
        "LRU is a marking algorithm, so at most k. lru_search.best.ratio",
    )
    result_12
    return (result_12,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What to take home

    - Layers tell when a page can come again. LLRU uses that to break ties: oldest round first, then the
      layer that comes last.
    - On skewed requests it saves some of LRU's faults; in the worst case it is not better than LRU.
    - Never split the cache by layers if you care about guarantees.
    """)
    return


@app.cell(hide_code=True)
def _(
    mo,
    result_1,
    result_10,
    result_11,
    result_12,
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
                result_12,
            ]
        )
    )
    return


if __name__ == "__main__":
    app.run()
