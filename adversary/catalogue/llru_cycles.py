"""LLRU can be worse than k: cycles found by exhaustive search of the product graph."""

from typing import NamedTuple

import numpy as np
import sympy

from adversary.construction import Construction, Promise, construction, require
from paging.model import LayeredInstance, RequestSequence
from paging.offline import farthest_in_future


class _Found(NamedTuple):
    """A cycle: pages needed per layer, requests as the digits of their places, faults per repetition."""

    pages: int
    prefix: str
    cycle: str
    online: int
    offline: int


FOUND = {
    (2, 6): _Found(
        4,
        (
            "001122330212202010131102200321122023030000103223021330230312120200012312201103121020"
            "22220233102300311020030323212210031102200301111313233001102132011120"
        ),
        (
            "201012130120022311202202000010312201123022021111010003221120130211102021210132102200"
            "311020020222212310021103200201111212223001102132011120"
        ),
        78,
        12,
    ),
    (2, 7): _Found(
        4,
        "0011223233200011",
        "11212203233011120200002130331202212111100313322120000202113233200011",
        32,
        4,
    ),
    (2, 8): _Found(
        5,
        (
            "001122334304102031403043442211103040434444120130333443441400213143444414040120334313"
            "04140100423334140401000032231411100100302443130100003020234211013120"
        ),
        (
            "302322041110302023222214013033322322120041312322221202014033231302120100243332120201"
            "000034231211100100302243130100003020234211013120"
        ),
        72,
        8,
    ),
    (3, 7): _Found(
        3,
        (
            "000111212220000101101002021022022010101122120120111002100120122112022012012200120010"
            "000000221110100000010211011211212100001201101102010200101"
        ),
        (
            "101202211212212220101112110110121002100110112122012022022200110020000000211120100000"
            "020221021221222100001201101102010200101"
        ),
        45,
        6,
    ),
    (3, 8): _Found(
        3,
        "00011121221122010000011",
        (
            "011211101102220010000110111112012021200100002102112120120211002000022022122202201110"
            "020000220222221021012100200001201221210210122001000011"
        ),
        54,
        6,
    ),
    (2, 9): _Found(
        5,
        "00112233434244300011213",
        (
            "113320440201123222132004413112333032200144131233230330011442223320212301124430332000"
            "1021123443032001020012334421200111310233244010011213"
        ),
        80,
        8,
    ),
}
"""By (ℓ, k): the best cycle of the whole product graph at the smallest n that beats k."""


@construction(
    id="llru-cycles",
    title="cycles on which LLRU faults more than k times per fault of OPT",
    bound="llru-lower",
    bad_for="LLRU (our reading)",
    source="ours, found by exhaustive search",
    status="proved by replaying the cycles",
    victims=("llru",),
    kind="cyclic",
    demo=LayeredInstance(layers=2, pages=4, cache=7),
)
def llru_cycles(instance: LayeredInstance, rounds: int) -> Construction:
    """Repeat a cycle found by search: at (ℓ, k) = (2, 7) it costs LLRU 8 = k + ℓ − 1 faults per fault of OPT.

    The cycles are the best there are on these instances: the whole product graph of LLRU's labels and the
    work function was built, and no cycle in it has a larger ratio (``paging adversary search llru``).

    Bad for whom
    ------------
    LLRU in our reading. Pages of the layer being served look a round older than they are, so LLRU may evict
    pages of the k-phase under way: it is no marking algorithm.

    Promise
    -------
    In every repetition a fixed number of faults online and offline, more than k to one: 13/2 at (2, 6), 8 at
    (2, 7), 9 at (2, 8), 10 at (2, 9), 15/2 at (3, 7), 9 at (3, 8).

    Offline schedule in words
    -------------------------
    Farthest-in-future on the finished sequence.

    Parameters
    ----------
    instance : LayeredInstance
        (ℓ, k) one of those above, with at least 4 pages per layer for (2, 6) and (2, 7), 5 for (2, 8) and
        (2, 9), 3 for ℓ = 3.
    """
    found = FOUND.get((instance.layers, instance.cache))
    where = ", ".join(f"({layers}, {cache})" for layers, cache in FOUND)
    require(instance, (f"(ℓ, k) to be one of {where}", found is not None))
    assert found is not None
    require(
        instance,
        (f"n ≥ {found.pages} in every layer", min(instance.pages_by_layer) >= found.pages),
    )
    layers, length = instance.layers, len(found.cycle)
    repetitions = max(0, rounds * layers - len(found.prefix)) // length + 2
    places = np.array([int(digit) for digit in found.prefix + found.cycle * repetitions])[: rounds * layers]
    requests = instance.first_page[np.arange(len(places)) % layers] + places
    sequence = RequestSequence(instance, requests)
    online, offline = sympy.Integer(found.online), sympy.Integer(found.offline)
    start = len(found.prefix)
    return Construction(
        sequence,
        farthest_in_future(sequence, record=True).schedule,
        Promise("a repetition of the cycle", online, offline, sympy.Integer(start)),
        tuple(range(start, len(places) + 1, length)),
        {"k": instance.cache},
    )
