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
    from paging import LayeredInstance, ModelError, RequestSequence, generate, simulate, steps
    from paging.compare import compare
    from paging.html import table
    from paging.lessons import after, check, check_that, code, score
    from paging.viewer import film_of
    from paging.viewer.page import lesson_page
    from paging.viewer.timeline import cache_timeline
    from proofs import get_bound

    return (
        LayeredInstance,
        ModelError,
        RequestSequence,
        Search,
        after,
        cache_timeline,
        check,
        check_that,
        code,
        compare,
        film_of,
        generate,
        get_bound,
        get_construction,
        lesson_page,
        mo,
        score,
        simulate,
        steps,
        table,
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
    answer_1 = mo.ui.dropdown(["0 3 1 5", "0 1 3 4", "3 0 4 1"], label="Answer")
    mo.md(rf"""
    **Question 1.** Which of these is a legal sequence?

    {answer_1}
    """)
    return (answer_1,)


@app.cell
def _(ModelError, RequestSequence, two):
    def is_legal(pages):
        try:
            RequestSequence(two, [int(page) for page in pages.split()])
        except ModelError:
            return False
        return True

    return (is_legal,)


@app.cell(hide_code=True)
def _(answer_1, check, is_legal):
    result_1 = check(
        answer_1.value,
        lambda: next(filter(is_legal, answer_1.options)),
        "Requests alternate between the layers, beginning with layer 0.",
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    answer_2 = mo.ui.text(label="Answer", placeholder="a time")
    mo.md(rf"""
    **Question 2.** Page 4 has just been requested, at time 7. At what time can it be requested again at the
    earliest?

    {answer_2}
    """)
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2, check, two):
    result_2 = check(answer_2.value, lambda: 7 + two.layers, "Its layer is served once a round.")
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    answer_3 = mo.ui.text(label="Answer", placeholder="three numbers")
    mo.md(rf"""
    ## 2. LRU, with the tie-break the other way round

    Let a fault happen at time t, in layer c. For a cached page q of layer j with last request last(q):

    - next(q) is the first time after t at which layer j is served again,
    - age(q) = (next(q) − last(q)) / ℓ, a whole number of rounds: from the last use to the next *possible*
      use.

    LRU evicts the page with the smallest last(q): that is the largest age, and among equal ages the one
    requested *least* recently. **LLRU** (our reading of the rule) takes the largest age, and among equal
    ages the largest next(q): the page whose layer comes up *last*.

    **Question 3.** ℓ = 3, a fault at t = 12. Page a of layer 0 was last requested at 9, page b of layer 1
    at 10, page c of layer 2 at 8. Give the ages of a, b, c. (Layer 0 is the one being served at
    12.)

    {answer_3}
    """)
    return (answer_3,)


@app.function
def age(last, time, layers):
    until = (last - time) % layers or layers  # requests until the layer of this page is served again
    return (time + until - last) // layers


@app.cell(hide_code=True)
def _(answer_3, check):
    result_3 = check(
        answer_3.value,
        lambda: [age(last, 12, 3) for last in (9, 10, 8)],
        "next(a) = 15, next(b) = 13, next(c) = 14.",
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    _start = """\
def victim(last, time, layers):
    return min(last, key=lambda page: last[page])  # this is LRU
"""
    answer_4 = mo.ui.code_editor(_start, min_height=120).form(submit_button_label="Check", bordered=False)
    mo.md(rf"""
    **Question 4.** Write LLRU's choice: a function of a dictionary {{page: time of its last request}}, the
    time of the fault and ℓ, that returns the victim. It must agree with the library on 3000 requests for ℓ
    = 3 and ℓ = 5.

    {answer_4}
    """)
    return (answer_4,)


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

    return (agrees_with_llru,)


@app.cell(hide_code=True)
def _(agrees_with_llru, answer_4, check_that, code):
    result_4 = check_that(
        answer_4.value,
        agrees_with_llru,
        (
            "max(last, key=...) with the pair (age, next) as the key; the layer of a page is "
            "last[page] % layers."
        ),
        code(),
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
    answer_5 = mo.ui.text(label="Answer", placeholder="a time")
    mo.md(rf"""
    **Question 5.** At which request (time) do LRU and LLRU evict different pages for the first time on
    these requests?

    {answer_5}
    """)
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, check, same, steps):
    result_5 = check(
        answer_5.value,
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
def _(after, film_of, lesson_page, mo, result_5, same, simulate):
    after(
        [result_5],
        lambda: mo.vstack(
            [
                mo.md("LLRU on the same requests, beside OPT, request by request:"),
                mo.iframe(lesson_page(film_of(simulate("llru", same, record=True))), height="600px"),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 3. Is it better?

    Thirty-two layers of eight experts, as Mixtral-8x7B has, and 1500 tokens.
    Choose where they come from: Zipf popularity in every layer, or layers that like to repeat their last
    page.
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    source = mo.ui.dropdown(["zipf:alpha=1", "sticky:p=0.8"], value="zipf:alpha=1", label="Workload")
    source
    return (source,)


@app.cell
def _(LayeredInstance, compare, generate):
    def compared(workload, sizes=(32, 48, 64, 96, 160)):
        tokens = generate(workload, LayeredInstance(layers=32, pages=8, cache=48), rounds=1500, seed=1)
        return compare(tokens, sizes, ["lru", "llru", "llru-lazy", "fifo"])

    return (compared,)


@app.cell
def _(compared, mo, source, table):
    def faults_table(found):
        sizes = sorted({row.cache for row in found.rows})
        policies = dict.fromkeys(row.policy for row in found.rows)
        return table(
            f"Faults on {source.value}",
            ["policy", *(f"k = {size}" for size in sizes)],
            [[name, *(f"{found.row(name, size).faults:,}" for size in sizes)] for name in policies],
        )

    mo.Html(faults_table(compared(source.value)))
    return


@app.cell(hide_code=True)
def _(mo):
    answer_6 = mo.ui.text(label="Answer", placeholder="a number such as 12.3")
    mo.md(rf"""
    **Question 6.** How many per cent fewer faults has LLRU than LRU on `zipf:alpha=1` at k = 48? One decimal.

    {answer_6}
    """)
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, check, compared):
    result_6 = check(
        answer_6.value,
        lambda: round(100 * float(compared("zipf:alpha=1", [48]).row("llru", 48).saving), 1),
        "From the table: 100 × (1 − faults of LLRU / faults of LRU), rounded.",
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(mo):
    answer_7 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 7.** And which share of what OPT saves over LRU is that, in per cent, no decimals?

    {answer_7}
    """)
    return (answer_7,)


@app.cell(hide_code=True)
def _(answer_7, check, compared):
    def share_of_opt():
        found = compared("zipf:alpha=1", [48])
        return round(100 * float(found.row("llru", 48).saving / found.row("opt", 48).saving))

    result_7 = check(answer_7.value, share_of_opt, "Divide what LLRU saves by what OPT saves.")
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    *Discuss.* Let every layer repeat its last page with probability p. Why does LLRU's advantage shrink?
    (Which pages does plain LRU keep then?)
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    repeats = mo.ui.slider(0, 0.9, step=0.1, value=0, label="probability p", show_value=True)
    return (repeats,)


@app.cell(hide_code=True)
def _(after, compared, mo, repeats, result_7):
    def saved():
        found = compared(f"sticky:p={repeats.value},alpha=1", [48])
        saves = [100 * float(found.row(name, 48).saving) for name in ("llru", "opt")]
        return mo.md("At k = 48 LLRU saves {:.1f} % of LRU's faults, OPT {:.1f} %.".format(*saves))

    after([result_7], lambda: mo.vstack([repeats, saved()]))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
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
    answer_8 = mo.ui.text(label="Answer", placeholder="two numbers")
    mo.md(rf"""
    **Question 8.** ℓ = 2, n = 4, k = 4, so that each layer has two slots, and 600 rounds: how many faults has
    the split, and how many the offline schedule with a shared cache, which never evicts? Give both.

    {answer_8}
    """)
    return (answer_8,)


@app.cell(hide_code=True)
def _(answer_8, check, split):
    result_8 = check(
        answer_8.value,
        lambda: [split.run("partitioned").faults, split.offline.faults],
        "Three pages in turn in one layer, one page in the other. Count what is loaded.",
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(after, mo, result_8):
    after(
        [result_8],
        lambda: mo.md(r"""
        The offline side pays a constant: it loads the few pages in play once. The ratio grows for ever.
        """),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_9 = mo.ui.text(label="Answer", placeholder="cache sizes")
    mo.md(rf"""
    ## 5. How bad can LRU and LLRU be?

    With layers the cycle through k + 1 pages needs (k + 1)/ℓ pages in each layer.

    **Question 9.** ℓ = 3, n = 4: for which k is LRU proved to be forced to a ratio of k by this cycle
    (bound `L3`)? Give all k from 1 to 12.

    {answer_9}
    """)
    return (answer_9,)


@app.cell(hide_code=True)
def _(LayeredInstance, answer_9, check, get_bound):
    result_9 = check(
        answer_9.value,
        lambda: {k for k in range(1, 13) if get_bound("L3").excluded(LayeredInstance(3, 4, k)) is None},
        "ℓ must divide k + 1, and (k + 1)/ℓ ≤ n.",
    )
    result_9
    return (result_9,)


@app.cell(hide_code=True)
def _(mo):
    answer_10 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    LLRU does better on that cycle. But it is no marking algorithm: it may evict a page of the phase under
    way, since pages of the layer being served look a round older than they are.

    **Question 10.** Such an early eviction can only hit a page requested in the first ℓ − 1 requests of the
    phase, so LLRU pays at most k + ℓ − 1 a phase. What is the bound `L5` at (ℓ, n, k) = (2, 4, 6)?

    {answer_10}
    """)
    return (answer_10,)


@app.cell(hide_code=True)
def _(LayeredInstance, answer_10, check, get_bound):
    result_10 = check(answer_10.value, lambda: get_bound("L5").at(LayeredInstance(2, 4, 6)), "k + ℓ − 1.")
    result_10
    return (result_10,)


@app.cell
def _(LayeredInstance, Search):
    def worst(policy):
        search = Search(policy, LayeredInstance(2, 4, 6))
        search.run()
        return search.best

    return (worst,)


@app.cell(hide_code=True)
def _(mo):
    answer_11 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 11.** Is LLRU really worse than k there? A search through all states finds the cycle that is
    worst. Let it search, and say what ratio the cycle forces.

    {answer_11}
    """)
    return (answer_11,)


@app.cell(hide_code=True)
def _(mo):
    go = mo.ui.run_button(label="Search (some seconds)")
    go
    return (go,)


@app.cell(hide_code=True)
def _(go, mo, worst):
    mo.stop(not go.value)
    cycle = worst("llru")
    mo.md(f"a cycle of {len(cycle.requests)} requests: LLRU {cycle.online} faults, OPT {cycle.offline}")
    return


@app.cell(hide_code=True)
def _(answer_11, check, worst):
    result_11 = check(
        answer_11.value, lambda: worst("llru").ratio, "Press the button, and divide LLRU's faults by OPT's."
    )
    result_11
    return (result_11,)


@app.cell(hide_code=True)
def _(mo):
    answer_12 = mo.ui.text(label="Answer", placeholder="a number")
    mo.md(rf"""
    **Question 12.** So LLRU saves faults on typical requests. Is its worst case worse than that of LRU? Say
    what the worst ratio of LRU is at (2, 4, 6): lesson 2 bounds it from above, and some cycle reaches it.

    {answer_12}
    """)
    return (answer_12,)


@app.cell(hide_code=True)
def _(answer_12, check, worst):
    result_12 = check(answer_12.value, lambda: worst("lru").ratio, "LRU is a marking algorithm.")
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
