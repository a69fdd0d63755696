import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="What is a good prediction worth?")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Lesson 8: What is a good prediction worth?

    *About 45 minutes. You need lessons 1 and 2.*

    The policies so far knew nothing of the future. Often somebody has an idea of it: a model trained on
    older traces, or the gate of the next layer. Here a **prediction** is one bit that comes with a request:
    1 says that OPT will evict the page before it comes again (*discard*), 0 that it will not (*keep*). The
    bits may be wrong. What are they worth?
    """)
    return


@app.cell
def _():
    from fractions import Fraction

    import marimo as mo

    from paging import (
        LayeredInstance,
        PredictedSequence,
        RequestSequence,
        farthest_in_future,
        generate,
        predict,
        prediction_errors,
        simulate,
        true_predictions,
    )
    from paging.lessons import check, score
    from proofs import get_bound

    return (
        Fraction,
        LayeredInstance,
        PredictedSequence,
        RequestSequence,
        check,
        farthest_in_future,
        generate,
        get_bound,
        mo,
        predict,
        prediction_errors,
        score,
        simulate,
        true_predictions,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. Right bits and wrong bits

    `flush-when-kept` evicts a page with bit 1. If a fault finds k pages with bit 0, one of them must be
    wrong, and it evicts them all. Errors are counted against OPT's own run: **η0** when OPT evicts a page
    with bit 0, **η1** when a page is requested that OPT holds although its bit is 1.
    """)
    return


@app.cell
def _(LayeredInstance, PredictedSequence, RequestSequence):
    short = RequestSequence(LayeredInstance(layers=1, pages=3, cache=2), [0, 1, 2, 0, 1, 2])
    lazy = PredictedSequence(short, "discard", [0] * 6)
    return lazy, short


@app.cell(hide_code=True)
def _(mo):
    answer_1 = mo.ui.text(label="Answer", placeholder="six digits")
    mo.md(rf"""
    **Question 1.** The true bits come from OPT's own run: 1 1 0 0 … would say that OPT evicts the first page
    and the second before they come again. Write the true bits of 0 1 2 0 1 2 with k = 2, six digits with
    blanks between them. (A page that OPT holds to the end has bit 0.)

    {answer_1}
    """)
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, check, short, true_predictions):
    result_1 = check(
        answer_1.value,
        lambda: true_predictions(short, "discard").predictions.tolist(),
        "At request 3 OPT evicts the page that comes again last; at request 5 a page that comes no more.",
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    answer_2 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 2.** A lazy friend says `keep` every time: all bits 0. How many wrong bits 0 (η0) are counted?

    {answer_2}
    """)
    return (answer_2,)


@app.cell(hide_code=True)
def _(answer_2, check, lazy, prediction_errors):
    result_2 = check(
        answer_2.value,
        lambda: prediction_errors(lazy).eta0,
        "Count OPT's evictions: each evicts a page whose bit is 0.",
    )
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    answer_3 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 3.** How many faults has `flush-when-kept` with these bits?

    {answer_3}
    """)
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, check, lazy, simulate):
    result_3 = check(
        answer_3.value,
        lambda: simulate("flush-when-kept", lazy).faults,
        "Whenever two pages are kept and a third comes, both are flushed.",
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    answer_4 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 4.** The theorem allows OPT + (k − 1)·η0 + η1. What is that here?

    {answer_4}
    """)
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4, check, farthest_in_future, lazy, prediction_errors, short):
    result_4 = check(
        answer_4.value,
        lambda: farthest_in_future(short).faults + prediction_errors(lazy).eta0,
        "OPT has 4 faults, k − 1 = 1, and no bit 1 is wrong.",
    )
    result_4
    return (result_4,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 2. Consistency, smoothness, robustness

    The bound OPT + (k − 1)·η0 + η1 says three things. With true bits the policy is OPT: its **consistency**
    is 1. A wrong bit 1 costs one fault, a wrong bit 0 at most k − 1: that is its **smoothness**. What it
    does when all bits are wrong is its **robustness**; for that the bound says little, as η grows with T.

    Now a longer sequence, four layers of eight pages, and bits of which a share p is wrong:
    """)
    return


@app.cell
def _(LayeredInstance, farthest_in_future, generate, mo, predict, simulate):
    shares = (0, 0.1, 0.2, 0.3, 0.4, 0.5)
    sequence = generate("zipf:requests=4000", LayeredInstance(layers=4, pages=8, cache=16), seed=1)
    lru = simulate("lru", sequence).faults
    told = {p: predict(sequence, f"discard:p0={p},p1={p}", seed=1) for p in shares}
    mo.md(f"OPT {farthest_in_future(sequence).faults}, LRU {lru}")
    return lru, shares, told


@app.cell(hide_code=True)
def _(mo):
    answer_5 = mo.ui.text(label="Answer", placeholder="one of the shares")
    mo.md(rf"""
    **Question 5.** At which of the shares 0, 1/10, 1/5, 3/10, 2/5, 1/2 is `flush-when-kept` for the first
    time worse than LRU? Guess, then try in a cell of your own or with `paging run flush-when-kept lru
    --predictions discard:p0=…,p1=…`.

    {answer_5}
    """)
    return (answer_5,)


@app.cell(hide_code=True)
def _(Fraction, answer_5, check, lru, shares, simulate, told):
    result_5 = check(
        answer_5.value,
        lambda: next(
            Fraction(p).limit_denominator(10)
            for p in shares
            if simulate("flush-when-kept", told[p]).faults > lru
        ),
        "Serve `told[p]` for every share, and compare with `lru`.",
    )
    result_5
    return (result_5,)


@app.cell(hide_code=True)
def _(mo):
    answer_6 = mo.ui.text(label="Answer", placeholder="one of the shares")
    mo.md(rf"""
    **Question 6.** The same for `flush-when-kept-lazy`, where a flushed page stays until its slot is needed.
    The theorem allows both the same; which share do you need now?

    {answer_6}
    """)
    return (answer_6,)


@app.cell(hide_code=True)
def _(Fraction, answer_6, check, lru, shares, simulate, told):
    result_6 = check(
        answer_6.value,
        lambda: next(
            Fraction(p).limit_denominator(10)
            for p in shares
            if simulate("flush-when-kept-lazy", told[p]).faults > lru
        ),
        "As before, with the other policy: it never has more faults.",
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(mo):
    answer_7 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    ## 3. Other predictions

    Bits may also be about k-phases (lesson 2): 1 says that the next phase does not ask for the page. Marking
    that evicts such pages first, `mark-predict-lru`, has a bound α·OPT + (k − 1)·η0 + η1.

    **Question 7.** What is its α, its consistency? Think of a phase in which all bits are true: which faults
    are left, and how many may there be for each fault of OPT?

    {answer_7}
    """)
    return (answer_7,)


@app.cell(hide_code=True)
def _(answer_7, check, get_bound):
    result_7 = check(
        answer_7.value,
        lambda: int(get_bound("mark-predict-lru-upper").value),
        "Only pages that the phase before did not ask for; c of them force c faults of OPT in two phases.",
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    answer_8 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    A prediction may be a number, too: when the page comes again. `blind-oracle` evicts whoever comes last,
    and η is the sum of |predicted − true| over all requests, where a page that does not come again comes
    "at" request number T.

    **Question 8.** Every prediction for 0 1 2 0 1 2 is one request too late. What is η?

    {answer_8}
    """)
    return (answer_8,)


@app.cell(hide_code=True)
def _(PredictedSequence, answer_8, check, prediction_errors, short, true_predictions):
    result_8 = check(
        answer_8.value,
        lambda: (
            prediction_errors(
                PredictedSequence(
                    short, "next-arrival", true_predictions(short, "next-arrival").predictions + 1
                )
            ).eta
        ),
        "One for every request. (And which faults does `blind-oracle` have then?)",
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    *For the road.* `paging compare --predictions discard:p0=0.9,p1=0.9 -p flush-when-kept-lazy -p lru -p
    cheaper:flush-when-kept-lazy,lru --workload zipf:requests=10000 -l 4 -n 8 -k 16`: who notices that the
    bits are worse than none, and what does noticing cost?

    ## What to take home

    - A bit a request is enough to be as good as OPT, if it is right.
    - Wrong bits cost what a theorem says, and their two kinds cost differently.
    - To trust is one thing, to notice that trust was misplaced another: robustness has to be built in.
    """)
    return


@app.cell(hide_code=True)
def _(mo, result_1, result_2, result_3, result_4, result_5, result_6, result_7, result_8, score):
    mo.md(score([result_1, result_2, result_3, result_4, result_5, result_6, result_7, result_8]))
    return


if __name__ == "__main__":
    app.run()
