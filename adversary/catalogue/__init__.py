"""One construction a file; every ``@construction`` is registered by itself.

======================= ================================== ===================== =============================
id                      hurts                              forces                source
======================= ================================== ===================== =============================
alternating             LIFO, MRU, LFU                     unbounded             folklore (Borodin and El-
                                                                                 Yaniv 1998, deterministic
                                                                                 paging)
alternating-layered     LIFO, MRU, LFU with several layers unbounded             ours
belady-anomaly          FIFO                               2 at (1, 5, 4)        the anomaly: Belady, Nelson
                                                                                 and Shedler 1969; without
                                                                                 end: ours
cruel                   every deterministic policy         k − ℓ + 1             ours, after the cruel
                                                                                 adversary of Sleator and
                                                                                 Tarjan 1985
cyclic                  LRU, FIFO, CLOCK, FWF and marking  k                     reported of arXiv:2509.02408;
                        with a fixed order                                       rebuilt by us
domino                  FIFO                               k                     ours, found by exhaustive
                                                                                 search
fixed-split             every fixed split of the cache     unbounded             for Theorem 1 of
                        over layers with a deterministic                         arXiv:2509.02408; ours
                        policy in each layer
fixed-split-cyclic      every fixed split, even with an    unbounded             for Theorem 1 of
                        optimal offline algorithm in each                        arXiv:2509.02408; ours
                        layer
llru-cycles             LLRU (our reading)                 8 at (2, 4, 7)        ours, found by exhaustive
                                                                                 search
marking-trap            every deterministic marking        5/2 at (3, 2, 4)      ours
                        algorithm
marking-tree            every policy, randomised ones      H_k                   Fiat, Karp, Luby, McGeoch,
                        included                                                 Sleator and Young 1991, lower
                                                                                 bound
missing-in-atomic-visit every deterministic policy, atomic 3 at (2, 4, 6)        ours
                        visits
missing-in-visit        every deterministic policy, g ≥ 2  4 at (2, 5, 7)        ours
missing-page            every deterministic policy         k − ℓ + 1             for a bound reported of
                                                                                 arXiv:2509.02408; ours
missing-page-kept       every deterministic policy told    k − ℓ + 1             ours
                        discard bits
missing-pair            MARK                               2H_k − 1              ours for several layers; for
                                                                                 one layer after Achlioptas,
                                                                                 Chrobak and Noga 2000
missing-with-bypassing  every deterministic policy,        5 at (1, 5, 4)        ours
                        bypassing
new-visitors            every deterministic policy told    ℓ·k/(k·(ℓ − 1) + 1)   ours
                        discard bits
one-page-each           LRU, FIFO, CLOCK, FWF and marking  (ℓ − 1)/(ℓ − k)       ours
                        with a fixed order
one-visitor             every deterministic policy told    k/2 − ℓ/2 + 3/2       ours
                        discard bits
outrun-ghosts           2Q                                 unbounded             ours
outrun-sieve            S3-FIFO                            unbounded             ours
popular                 whoever never forgets uses, or     unbounded             ours
                        what was hot
protected               segmented LRU                      unbounded             ours
rehearsed               LRU                                k                     ours
second-faults           LLRU (our reading)                 k + ℓ − 1             ours
second-faults-lazy      llru-lazy                          k + ℓ − 2             ours
sleator-tarjan          every deterministic policy, with   k/(k − h + 1)         Sleator and Tarjan 1985,
                        OPT on h ≤ k pages                                       lower bound
stuck-hand              SIEVE                              unbounded             ours, found by search
taking-turns            RANDOM                             k                     for one layer after Raghavan
                                                                                 and Snir 1994; ours for
                                                                                 several
two-faces               LRU                                2k − 2ℓ + 1           ours
two-layers              every deterministic policy         3/2 at (3, 2, 3)      ours
uniform                 every policy, randomised ones      4357/1820 at (2, 4,   reported of arXiv:2509.02408;
                        included                           7)                    rebuilt by us
uniform-spread          every policy, randomised ones      57/28 at (2, 4, 5)    ours
                        included
======================= ================================== ===================== =============================
"""
