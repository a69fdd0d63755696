import marimo

__generated_with = "0.25.2"
app = marimo.App(app_title="The lower bound as a game")


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    # Lesson 3: The lower bound as a game

    *About 75 minutes. You need lessons 1 and 2.*

    A lower bound on *all* deterministic policies is a strategy in a game. You are the **adversary**: you
    choose the next request, the policy answers. You want it to fault often where OPT, which will know the
    whole sequence, faults rarely. A deterministic policy is predictable, so you may as well watch it while
    you choose.
    """)
    return


@app.cell
def _():
    import marimo as mo

    from adversary import Search, get_construction
    from paging import LayeredInstance, RequestSequence, Session, WorkFunction, farthest_in_future, simulate
    from paging.lessons import after, check, check_that, code, score
    from paging.viewer import film_of
    from paging.viewer.page import lesson_page
    from proofs import get_bound

    return (
        LayeredInstance,
        RequestSequence,
        Search,
        Session,
        WorkFunction,
        after,
        check,
        check_that,
        code,
        farthest_in_future,
        film_of,
        get_bound,
        get_construction,
        lesson_page,
        mo,
        score,
        simulate,
    )


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 1. One layer

    A `Session` serves a policy request by request. k = 3, and only k + 1 = 4 pages are in play.
    """)
    return


@app.cell
def _(LayeredInstance, Session, mo):
    arena = LayeredInstance(layers=1, pages=4, cache=3)
    opening = Session("lru", arena)
    for _page in [0, 1, 2, 0, 3]:
        opening.serve(_page)
    mo.md("LRU has served **0 1 2 0 3**.")
    return arena, opening


@app.cell(hide_code=True)
def _(mo):
    answer_1 = mo.ui.text(label="Answer", placeholder="a page")
    mo.md(rf"""
    **Question 1.** Which page must you request next so that LRU faults?

    {answer_1}
    """)
    return (answer_1,)


@app.cell(hide_code=True)
def _(answer_1, check, opening):
    result_1 = check(
        answer_1.value,
        lambda: next(page for page in range(4) if not opening.cached(page)),
        "LRU holds the three pages requested last.",
    )
    result_1
    return (result_1,)


@app.cell(hide_code=True)
def _(mo):
    _start = """\
def adversary(session):
    pages = session.instance.pages_of(session.layer)  # those that may be requested now
    return min(page for page in pages if ...)  # session.cached(page) says whether one is cached
"""
    answer_2 = mo.ui.code_editor(_start, min_height=120).form(submit_button_label="Check", bordered=False)
    mo.md(rf"""
    **Question 2.** Write the adversary: a function that is given the session and returns the next page,
    such that *every* request is a fault. It is tried against LRU, FIFO, CLOCK and flush-when-full, 200
    requests each, on k + 1 pages for several k.

    {answer_2}
    """)
    return (answer_2,)


@app.cell
def _(LayeredInstance, Session):
    def always_faults(adversary):
        for policy in ("lru", "fifo", "clock", "fwf"):
            for cache in (1, 2, 5):
                session = Session(policy, LayeredInstance(layers=1, pages=cache + 1, cache=cache))
                for time in range(200):
                    page = adversary(session)
                    if session.cached(page):
                        return f"against {policy} with k = {cache}, request {time} (page {page}) is a hit"
                    session.serve(page)
        return True

    return (always_faults,)


@app.cell(hide_code=True)
def _(always_faults, answer_2, check_that, code):
    result_2 = check_that(
        answer_2.value,
        always_faults,
        ("session.cached(page) tells whether a page is cached; among k + 1 pages one always is not."),
        code(),
    )
    result_2
    return (result_2,)


@app.cell(hide_code=True)
def _(
    LayeredInstance,
    RequestSequence,
    Session,
    after,
    film_of,
    lesson_page,
    mo,
    result_2,
    simulate,
):
    def duel():
        session = Session("lru", LayeredInstance(layers=1, pages=4, cache=3))
        made = []
        for _ in range(16):
            made.append(next(page for page in range(4) if not session.cached(page)))
            session.serve(made[-1])
        sequence = RequestSequence(session.instance, made)
        return mo.iframe(lesson_page(film_of(simulate("lru", sequence, record=True))), height="600px")

    after([result_2], lambda: mo.vstack([mo.md("Such an adversary against LRU, and OPT:"), duel()]))
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    Now the other side: on k + 1 pages OPT faults at most once in k requests, since it evicts a page that
    none of the next k − 1 requests asks for. So the ratio is at least k, whatever the policy: **no
    deterministic policy is better than k-competitive** (Sleator and Tarjan 1985).
    """)
    return


@app.cell
def _(RequestSequence, Session, arena):
    session = Session("fifo", arena)
    played = []
    for _ in range(600):
        missing = next(page for page in range(4) if not session.cached(page))
        played.append(missing)
        session.serve(missing)
    game = RequestSequence(arena, played)
    return (game,)


@app.cell(hide_code=True)
def _(mo):
    answer_3 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 3.** An adversary has made 600 requests to the four pages, all of them faults of FIFO (k = 3).
    How often does OPT fault on them? See what it pays for the first few:

    {answer_3}
    """)
    return (answer_3,)


@app.cell(hide_code=True)
def _(mo):
    played_so_far = mo.ui.slider(1, 30, value=5, label="requests", show_value=True)
    played_so_far
    return (played_so_far,)


@app.cell(hide_code=True)
def _(farthest_in_future, game, mo, played_so_far):
    beginning = game.prefix(played_so_far.value)
    mo.md(
        f"{' '.join(map(str, beginning))}: FIFO {played_so_far.value} faults, "
        f"OPT {farthest_in_future(beginning).faults}"
    )
    return


@app.cell(hide_code=True)
def _(answer_3, check, farthest_in_future, game):
    result_3 = check(
        answer_3.value,
        lambda: farthest_in_future(game).faults,
        "After how many requests does OPT pay once more?",
    )
    result_3
    return (result_3,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 2. OPT while you play

    You need not wait for the end. The **work function** says after each request what OPT has paid *so far*,
    and which caches OPT may hold now.
    """)
    return


@app.cell
def _(WorkFunction, arena):
    work = WorkFunction(arena)
    for _page in [0, 1, 2, 3, 0, 1]:
        work.serve(_page)
    return (work,)


@app.cell(hide_code=True)
def _(mo):
    answer_4 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 4.** What has OPT paid for 0 1 2 3 0 1 (k = 3)?

    {answer_4}
    """)
    return (answer_4,)


@app.cell(hide_code=True)
def _(answer_4, check, work):
    result_4 = check(answer_4.value, lambda: work.cost, "Four compulsory faults. Is a fifth needed?")
    result_4
    return (result_4,)


@app.cell(hide_code=True)
def _(mo):
    answer_5 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 5.** In how many different caches (sets of at most three pages) may OPT be after these six
    requests?

    {answer_5}
    """)
    return (answer_5,)


@app.cell(hide_code=True)
def _(answer_5, check, work):
    result_5 = check(
        answer_5.value,
        lambda: len(set(work.optimal_caches())),
        "With four faults in all, which page can have left at request 3, so that 0 and 1 are hits?",
    )
    result_5
    return (result_5,)


@app.cell(hide_code=True)
def _(mo):
    answer_6 = mo.ui.multiselect(["0", "1", "2", "3"], label="Answer")
    mo.md(rf"""
    The adversary's art is to keep OPT's options open: a request for a page that is in *every* optimal cache
    costs OPT nothing and leaves its options as they are; a request for a page that is in *some* costs
    nothing but removes options; a request for a page that is in none costs 1.

    **Question 6.** After 0 1 2 3 0 1, which pages can you request without cost to OPT?

    {answer_6}
    """)
    return (answer_6,)


@app.cell(hide_code=True)
def _(answer_6, check, work):
    result_6 = check(
        answer_6.value,
        lambda: {page for page in range(4) if work.labels[page] > 0},
        "Those that are in at least one optimal cache.",
    )
    result_6
    return (result_6,)


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 3. Layers tie your hands

    In **layered paging** request number t must go to layer t mod ℓ. The missing page may lie in another
    layer than the one whose turn it is, so you cannot force a fault at every request.
    """)
    return


@app.cell
def _(LayeredInstance):
    layered = LayeredInstance(layers=2, pages=3, cache=4)  # pages 0 1 2 in layer 0, pages 3 4 5 in layer 1
    return (layered,)


@app.cell(hide_code=True)
def _(mo):
    _start = """\
def adversary(session, made):
    candidates = [page for page in session.instance.pages_of(session.layer) if page in in_play]
    return candidates[0]
"""
    answer_7 = mo.ui.code_editor(_start, min_height=120).form(submit_button_label="Check", bordered=False)
    mo.md(rf"""
    The strategy that proves the bound k − ℓ + 1: keep k + 1 pages in play, at least one per layer. If a
    page that the policy lacks lies in the layer being served, request it; otherwise repeat the last request
    of that layer.

    Here ℓ = 2 and k = 4; pages 0 1 2 are in layer 0, pages 3 4 5 in layer 1.

    **Question 7.** Write it as a function of the session and of the list of the requests made so far. Your
    pages in play must be `in_play`, that is 0 to 4. It is played for 3000 requests against five policies;
    each must end with a ratio of at least k − ℓ + 1 − 0.05 = 2.95.

    {answer_7}
    """)
    return (answer_7,)


@app.cell
def _(RequestSequence, Session, farthest_in_future, layered):
    in_play = {0, 1, 2, 3, 4}

    def forces_the_bound(adversary):
        for policy in ("lru", "llru", "fifo", "clock", "mark-lru"):
            session = Session(policy, layered)
            made = []
            for _ in range(3000):
                page = adversary(session, made)
                if page not in in_play:
                    return f"page {page} is not in play"
                session.serve(page)
                made.append(page)
            best = farthest_in_future(RequestSequence(layered, made)).faults
            if session.faults < 2.95 * best:
                return f"against {policy} the ratio is only {session.faults / best:.3f}"
        return True

    return forces_the_bound, in_play


@app.cell(hide_code=True)
def _(answer_7, check_that, code, forces_the_bound, in_play):
    result_7 = check_that(
        answer_7.value,
        forces_the_bound,
        ("made[-2] is the last request of the layer being served, once two requests have been made."),
        code(in_play=in_play),
    )
    result_7
    return (result_7,)


@app.cell(hide_code=True)
def _(mo):
    answer_8 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 8.** What does the bound say at ℓ = 3, n = 4, k = 8?

    {answer_8}
    """)
    return (answer_8,)


@app.cell(hide_code=True)
def _(LayeredInstance, answer_8, check, get_bound):
    result_8 = check(
        answer_8.value, lambda: get_bound("L2").at(LayeredInstance(layers=3, pages=4, cache=8)), "k − ℓ + 1."
    )
    result_8
    return (result_8,)


@app.cell(hide_code=True)
def _(mo):
    opponent = mo.ui.dropdown(
        ["lru", "llru", "fifo", "clock", "mark-lru", "mark-layer"], value="llru", label="Policy"
    )
    return (opponent,)


@app.cell(hide_code=True)
def _(LayeredInstance, after, get_construction, mo, opponent, result_8):
    def missing_page():
        built = get_construction("missing-page")(LayeredInstance(3, 4, 8), rounds=800, policy=opponent.value)
        run = built.run()
        built.check(run)
        return mo.md(
            f"{run.faults} faults, offline {built.offline.faults}, observed "
            f"{run.faults / built.offline.faults:.2f}, promised in the limit {built.limit}"
        )

    after(
        [result_8],
        lambda: mo.vstack(
            [
                mo.md("""
                The library's construction `missing-page` does the same, with an offline schedule and a
                promise per phase that is checked. Choose policies, and see whether you find one that
                escapes:
                """),
                opponent,
                missing_page(),
            ]
        ),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## 4. The best you can do

    A strategy is only as good as its ratio. Is there a better one against a given policy? On small
    instances a program can try *all* of them: it builds the graph of all pairs (state of the policy, state
    of OPT's work function); a request is an edge with two costs; a sequence that can be repeated for ever
    is a cycle. The cycle with the largest ratio is the best strategy. Choose, and the program searches:
    """)
    return


@app.cell
def _(LayeredInstance, Search):
    def worst(policy, layers, pages, cache):
        search = Search(policy, LayeredInstance(layers, pages, cache))
        search.run()
        return search.best

    return (worst,)


@app.cell(hide_code=True)
def _(mo):
    searched = mo.ui.dropdown(["lru", "llru", "fifo", "lifo"], value="fifo", label="Policy")
    shape = mo.ui.dropdown(
        {"(1, 3, 2)": (1, 3, 2), "(1, 4, 3)": (1, 4, 3), "(2, 2, 3)": (2, 2, 3), "(2, 3, 4)": (2, 3, 4)},
        value="(1, 4, 3)",
        label="(ℓ, n, k)",
    )
    mo.hstack([searched, shape], justify="start", wrap=True)
    return searched, shape


@app.cell(hide_code=True)
def _(mo, searched, shape, worst):
    found = worst(searched.value, *shape.value)
    mo.md(
        f"repeat **{' '.join(map(str, found.requests))}**: each time {found.online} faults of "
        f"{searched.value}, {found.offline} of OPT"
    )
    return


@app.cell(hide_code=True)
def _(mo):
    answer_9 = mo.ui.text(label="Answer", placeholder="a number such as 3/2")
    mo.md(rf"""
    **Question 9.** The bound k − ℓ + 1 is 2 at (2, 2, 3). How large is the ratio LRU can be forced to
    there?

    {answer_9}
    """)
    return (answer_9,)


@app.cell(hide_code=True)
def _(answer_9, check, worst):
    result_9 = check(
        answer_9.value, lambda: worst("lru", 2, 2, 3).ratio, "Choose lru and (2, 2, 3), and divide."
    )
    result_9
    return (result_9,)


@app.cell(hide_code=True)
def _(mo):
    answer_10 = mo.ui.text(label="Answer", placeholder="two numbers")
    mo.md(rf"""
    **Question 10.** And at (2, 3, 4) for LRU and for LLRU?

    {answer_10}
    """)
    return (answer_10,)


@app.cell(hide_code=True)
def _(answer_10, check, worst):
    result_10 = check(
        answer_10.value,
        lambda: [worst("lru", 2, 3, 4).ratio, worst("llru", 2, 3, 4).ratio],
        "Divide the faults in the cycle by those of OPT, for both policies.",
    )
    result_10
    return (result_10,)


@app.cell(hide_code=True)
def _(mo):
    answer_11 = mo.ui.text(label="Answer", placeholder="a whole number")
    mo.md(rf"""
    **Question 11.** LIFO evicts the page loaded last. With ℓ = 1, n = 3 and k = 2, find the shortest cycle
    that is worst for it and say how many requests it has.

    {answer_11}
    """)
    return (answer_11,)


@app.cell(hide_code=True)
def _(answer_11, check, worst):
    result_11 = check(
        answer_11.value,
        lambda: len(worst("lifo", 1, 3, 2).requests),
        ("Fill the cache, then request two new pages in turn: LIFO evicts one for the other, for ever."),
    )
    result_11
    return (result_11,)


@app.cell(hide_code=True)
def _(after, mo, result_11):
    after(
        [result_11],
        lambda: mo.md(r"""
        OPT pays *nothing* in that cycle: LIFO is not competitive at all.
        """),
    )
    return


@app.cell(hide_code=True)
def _(mo):
    mo.md(r"""
    ## What to take home

    - Against a deterministic policy an adversary may watch. With one layer it can always request what is
      missing: ratio k.
    - With ℓ layers it must wait for the right layer: what is proved is k − ℓ + 1.
    - A cycle in which policy and work function return proves a ratio, whatever the additive constant. That
      is the evidence of lesson 6.
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
