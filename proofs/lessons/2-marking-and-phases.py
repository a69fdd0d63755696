import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="Marking and phases")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Lesson 2: Marking and phases

    *About 60 minutes. You need lesson 1: faults, LRU, OPT.*

    How can one say anything about OPT without computing it? By cutting the sequence into pieces on which
    *every* algorithm must pay. These pieces are the **k-phases**: begin with the first request; a phase
    goes on as long as it requests at most k different pages; the request for a (k + 1)-st page begins the
    next phase.
    """)
    return


@app.cell
def _():
    from fractions import Fraction
    from itertools import pairwise

    import marimo as mo

    from adversary import get_construction
    from lp import lower_bounds
    from paging import (
        LayeredInstance,
        RequestSequence,
        expected_faults,
        farthest_in_future,
        get_policy,
        phase_starts,
        simulate,
        steps,
    )
    from paging.lessons import after, check, check_that, score, whole_numbers
    from paging.viewer import film_of
    from paging.viewer.page import lesson_page
    from paging.viewer.timeline import cache_timeline

    return (
        Fraction,
        LayeredInstance,
        RequestSequence,
        after,
        cache_timeline,
        check,
        check_that,
        expected_faults,
        farthest_in_future,
        film_of,
        get_construction,
        get_policy,
        lesson_page,
        lower_bounds,
        mo,
        pairwise,
        phase_starts,
        score,
        simulate,
        steps,
        whole_numbers,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. Cutting

    Fifteen requests to five pages, k = 3:
    """)
    return


@app.cell
def _(LayeredInstance, RequestSequence, mo):
    small = LayeredInstance(layers=1, pages=5, cache=3)
    requests = [0, 1, 2, 0, 3, 1, 3, 4, 0, 4, 3, 2, 1, 1, 0]
    first = RequestSequence(small, requests)
    mo.md(f"**{' '.join(map(str, requests))}**")
    return first, requests, small


@app.cell(hide_code=True)
def _(mo):
    answer_1 = mo.ui.text(label="Answer", placeholder="times such as 0 2 5")
    mo.md(rf"""
    **Question 1.** At which times (counted from 0) do the phases of these requests begin?

    {answer_1}
    """)
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, check, phase_starts, requests):
    result_1 = check(
        answer_1.value,
        lambda: phase_starts(requests, 3),
        ("The first phase begins at 0. Write down the set of pages and stop before it would have four."),
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    slots = mo.ui.slider(1, 5, value=3, label="cache size k", show_value=True)
    return (slots,)


@app.cell(hide_code=True)
def _(after, mo, pairwise, phase_starts, requests, result_1, slots):
    def cut():
        starts = [*phase_starts(requests, slots.value), len(requests)]
        phases = [" ".join(map(str, requests[begin:end])) for begin, end in pairwise(starts)]
        return mo.md(f"**{' | '.join(phases)}**")

    after(
        [result_1],
        lambda: mo.vstack([mo.md("The same requests, cut for another cache size:"), slots, cut()]),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_2 = mo.ui.text(label="Answer", placeholder="a number for each phase")
    mo.md(rf"""
    **Question 2.** A page is *new* in a phase if the phase requests it and the phase before did not. How
    many new pages has each phase? (In the first one all are new.)

    {answer_2}
    """)
    return (answer_2,)


@app.cell
def _(pairwise, phase_starts):
    def pages_by_phase(requests, cache):
        starts = [*phase_starts(requests, cache), len(requests)]
        return [set(requests[begin:end]) for begin, end in pairwise(starts)]

    def new_pages(requests, cache):
        sets = pages_by_phase(requests, cache)
        return [len(now - before) for before, now in zip([set(), *sets], sets, strict=False)]

    return (new_pages,)


@app.cell(hide_code=True)
def _(answer_2, check, new_pages, requests):
    result_2 = check(
        answer_2.value,
        lambda: new_pages(requests, 3),
        "Compare the set of each phase with the set of the one before it only.",
    )
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(mo):
    answer_3 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    ## 2. What OPT must pay

    Look at the stretch from the *second* request of a phase to the *first* request of the next one. After
    the first request of the phase its page is cached, so k − 1 slots hold other things. In the stretch, k
    pages different from it are requested. So every algorithm faults at least once in it, OPT too. The
    stretches of different phases do not overlap.

    **Question 3.** What lower bound on OPT does this give for a sequence with p phases, if the first phase,
    whose k pages are all faults on a cold cache, is counted in full? Give it for the fifteen requests
    above.

    {answer_3}
    """)
    return (answer_3,)


@app.cell(hide_code=True)
def _(answer_3, check, first, lower_bounds):
    result_3 = check(
        answer_3.value,
        lambda: lower_bounds(first)["phases"],
        "k for the first phase, and one for each further phase.",
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    answer_4 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 4.** And what does OPT really pay?

    {answer_4}
    """)
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4, check, farthest_in_future, first):
    result_4 = check(
        answer_4.value,
        lambda: farthest_in_future(first).faults,
        "Farthest in the future; the bound of question 3 need not be reached.",
    )
    result_4
    return (result_4,)


@app.cell(hide_code=True)
def _(mo):
    answer_5 = mo.ui.text(label="Answer", placeholder="pages such as 0 1 2, or 0 1 * 9")
    mo.md(rf"""
    There is a better bound for phases with many new pages. Phases i − 1 and i together request k + m
    distinct pages, where m is the number of new ones in phase i. At most k of them are cached at the start
    of phase i − 1: OPT faults at least m times in the two. Adding up over odd or over even i gives half of
    the sum of all m.

    **Question 5.** Find a sequence of at most 40 requests to the pages 0 … 5, k = 3, on which OPT pays at
    least *one and a half times* the bound of question 3.

    {answer_5}
    """)
    return (answer_5,)


@app.cell
def _(LayeredInstance, RequestSequence, farthest_in_future, lower_bounds):
    wide = LayeredInstance(layers=1, pages=6, cache=3)

    def opt_over_phases(answer):
        given = RequestSequence(wide, answer)
        if len(given) > 40:
            return "at most 40 requests"
        return 2 * farthest_in_future(given).faults >= 3 * lower_bounds(given)["phases"]

    return (opt_over_phases,)


@app.cell(hide_code=True)
def _(answer_5, check_that, opt_over_phases, whole_numbers):
    result_5 = check_that(
        answer_5.value,
        opt_over_phases,
        "Let every phase have k new pages: three pages, then the other three, and so on.",
        whole_numbers,
    )
    result_5
    return (result_5,)


@app.cell(hide_code=True)
def _(mo):
    answer_6 = mo.ui.text(label="Answer", placeholder="a number for each phase")
    mo.md(rf"""
    ## 3. What a marking algorithm pays

    Put a **mark** on a page when it is requested; at the beginning of a phase erase all marks. An algorithm
    is a **marking algorithm** if it never evicts a marked page.

    Such an algorithm faults at most once on each of the k pages of a phase: after the request the page is
    marked, so it stays to the end of the phase. Hence at most k faults a phase, while OPT pays at least
    one: **every marking algorithm is k-competitive.**

    **Question 6.** LRU is a marking algorithm. Why? Look at the picture below and say: how many faults has
    LRU in each phase of the fifteen requests?

    {answer_6}
    """)
    return (answer_6,)


@app.cell
def _(cache_timeline, first, mo):
    mo.plain_text(cache_timeline("lru", first))
    return


@app.cell
def _(pairwise, phase_starts, simulate):
    def faults_by_phase(policy, sequence):
        counts = simulate(policy, sequence, record=True).fault_counts
        starts = [*phase_starts(sequence, sequence.instance.cache), len(sequence)]
        return [int(counts[end - 1] - (counts[begin - 1] if begin else 0)) for begin, end in pairwise(starts)]

    return (faults_by_phase,)


@app.cell(hide_code=True)
def _(answer_6, check, faults_by_phase, first):
    result_6 = check(
        answer_6.value,
        lambda: faults_by_phase("lru", first),
        "Cut the picture at the times of question 1 and count the F in each piece.",
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(after, film_of, first, lesson_page, mo, result_4, result_6, simulate):
    after(
        [result_4, result_6],
        lambda: mo.vstack(
            [
                mo.md("LRU and OPT request by request, phase by phase:"),
                mo.iframe(lesson_page(film_of(simulate("lru", first, record=True))), height="600px"),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_7 = mo.ui.text(label="Answer", placeholder="pages such as 0 1 2")
    mo.md(rf"""
    **Question 7.** FIFO is *not* a marking algorithm. Prove it by an example: a sequence of at most 10
    requests to the pages 0 … 4, k = 3, in which FIFO evicts a page that was requested before in the phase
    under way.

    {answer_7}
    """)
    return (answer_7,)


@app.cell
def _(RequestSequence, phase_starts, small, steps):
    def evicts_marked(policy, answer):
        given = RequestSequence(small, answer)
        if len(given) > 10:
            return "at most 10 requests"
        starts = set(phase_starts(answer, 3))
        marked = set()
        for step in steps(policy, given):
            if step.time in starts:
                marked = set()
            if marked & set(step.victims):
                return True
            marked.add(step.page)
        return False

    return (evicts_marked,)


@app.cell(hide_code=True)
def _(answer_7, check_that, evicts_marked, whole_numbers):
    result_7 = check_that(
        answer_7.value,
        lambda answer: evicts_marked("fifo", answer),
        (
            "The first page loaded is the first to leave, however often it is requested. The phase "
            "must go on after that."
        ),
        whole_numbers,
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    answer_8 = mo.ui.multiselect(["lru", "fifo", "lifo", "lfu", "fwf", "mark"], label="Answer")
    mo.md(rf"""
    Still FIFO faults at most k times in a phase: it is **conservative**. (A page that was loaded in a phase
    leaves only after k further loads.) So FIFO is k-competitive as well, by another argument.

    **Question 8.** Which of these policies are marking algorithms, for whatever requests? LFU evicts the
    page requested least often, LIFO the one loaded last. FWF drops everything when the cache is full and a
    new page is requested. MARK evicts an unmarked page at random.

    {answer_8}
    """)
    return (answer_8,)


@app.cell(hide_code=True)
def _(answer_8, check, get_policy):
    result_8 = check(
        answer_8.value,
        lambda: {name for name in answer_8.options if "marking" in get_policy(name).traits},
        "Every policy states its traits, and tests try to refute them: paging policies lfu.",
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(mo):
    answer_9 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Flush-when-full** (FWF) is the most wasteful of them.

    **Question 9.** How many faults has FWF on the fifteen requests?

    {answer_9}
    """)
    return (answer_9,)


@app.cell(hide_code=True)
def _(answer_9, check, first, simulate):
    result_9 = check(
        answer_9.value,
        lambda: simulate("fwf", first).faults,
        ("It flushes exactly when a phase begins, so it pays for every distinct page of every phase."),
    )
    result_9
    return (result_9,)


@app.cell(hide_code=True)
def _(mo):
    answer_10 = mo.ui.text(label="Answer", placeholder="pages such as 0 1 2, or 0 1 * 9")
    mo.md(rf"""
    ## 4. Is k the truth?

    Is k too pessimistic?

    **Question 10.** Find a sequence of at most 60 requests to the pages 0 … 3, k = 3, on which LRU's faults
    are at least 2.5 times OPT's.

    {answer_10}
    """)
    return (answer_10,)


@app.cell
def _(
    Fraction,
    LayeredInstance,
    RequestSequence,
    farthest_in_future,
    simulate,
):
    def ratio_of(policy, answer):
        given = RequestSequence(LayeredInstance(1, 4, 3), answer)
        return Fraction(simulate(policy, given).faults, farthest_in_future(given).faults)

    return (ratio_of,)


@app.cell(hide_code=True)
def _(Fraction, answer_10, check_that, ratio_of, whole_numbers):
    result_10 = check_that(
        answer_10.value,
        lambda answer: (
            ratio_of("lru", answer) >= Fraction(5, 2) if len(answer) <= 60 else "at most 60 requests"
        ),
        "k + 1 pages in turn; the start costs OPT three faults, so it must be long enough.",
        whole_numbers,
    )
    result_10
    return (result_10,)


@app.cell(hide_code=True)
def _(LayeredInstance, after, get_construction, mo, result_10):
    def promised():
        hard = get_construction("cyclic")(LayeredInstance(1, 4, 3), rounds=60)
        hard.check(hard.run("lru"))
        return mo.md(f"""
        Take k + 1 pages in turn: each phase has exactly one new page, OPT pays one a phase, LRU pays k. The
        upper bound k is reached.

        The library calls this the construction `cyclic`. It comes with a schedule for the offline side and a
        promise per {hard.promise.period}, both of which have just been checked: online at least
        {hard.promise.online}, offline at most {hard.promise.offline}.
        """)

    after([result_10], promised)
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 5. Marking at random

    **MARK** evicts an unmarked page chosen at random, each with the same probability. Its cost is now a
    random number; we ask for its mean. On small sequences the library computes it exactly, as a fraction.
    """)
    return


@app.cell(hide_code=True)
def _(mo):
    answer_11 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 11.** Requests 0, 1, 2, 3, 0 with k = 3. The fourth request begins a phase and evicts one of
    three pages. What is the expected number of faults of MARK?

    {answer_11}
    """)
    return (answer_11,)


@app.cell
def _(RequestSequence, small):
    five = RequestSequence(small, [0, 1, 2, 3, 0])
    return (five,)


@app.cell(hide_code=True)
def _(answer_11, check, expected_faults, five):
    result_11 = check(
        answer_11.value,
        lambda: expected_faults("mark", five),
        "Four certain faults, and a fifth if page 0 was the victim.",
    )
    result_11
    return (result_11,)


@app.cell(hide_code=True)
def _(mo):
    answer_12 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 12.** On the fifteen requests of the beginning: how much does MARK pay in expectation
    *less* than LRU? (A negative number if it pays more.) Look up its expected cost here:

    {answer_12}
    """)
    return (answer_12,)


@app.cell(hide_code=True)
def _(mo):
    drawn = mo.ui.dropdown(["lru", "fifo", "fwf", "random", "mark"], value="fifo", label="Policy")
    return (drawn,)


@app.cell(hide_code=True)
def _(drawn, expected_faults, first, mo):
    mo.hstack(
        [drawn, mo.md(f"expected faults: {expected_faults(drawn.value, first)}")],
        justify="start",
        wrap=True,
    )
    return


@app.cell(hide_code=True)
def _(answer_12, check, expected_faults, first, simulate):
    result_12 = check(
        answer_12.value,
        lambda: simulate("lru", first).faults - expected_faults("mark", first),
        "Choose mark above, and subtract its expected faults from those of LRU (question 6).",
    )
    result_12
    return (result_12,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What to take home

    - k-phases bound OPT from below, without computing it.
    - Marking algorithms and conservative ones pay at most k a phase: they are k-competitive.
    - On k + 1 pages in turn LRU really pays k times what OPT pays. Randomisation helps: lesson 4.

    *For the road.* If OPT has only h ≤ k slots, it must pay k − h + 1 a phase. What does that make of the
    ratio? Compare with `paging bounds augmentation-upper`.
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
