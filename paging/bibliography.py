"""The one bibliography: every source key used in the code resolves here."""

SOURCES = {
    "AMOS2025": "S. Angelopoulos, L. Marchal, A. Obrecht, B. Simon: Cache Management for "
    "Mixture-of-Experts LLMs. Euro-Par 2025, doi:10.1007/978-3-031-99872-0_2, arXiv:2509.02408",
    "AntoniadisEtAl2023": "A. Antoniadis, J. Boyar, M. Eliáš, L. M. Favrholdt, R. Hoeksma, K. S. Larsen, "
    "A. Polak, B. Simon: Paging with succinct predictions. ICML 2023, arXiv:2210.02775",
    "ACN2000": "D. Achlioptas, M. Chrobak, J. Noga: Competitive analysis of randomized paging algorithms. "
    "Theoretical Computer Science 234 (2000) 203–218",
    "Belady1966": "L. A. Belady: A study of replacement algorithms for a virtual-storage computer. "
    "IBM Systems Journal 5 (1966) 78–101",
    "BNS1969": "L. A. Belady, R. A. Nelson, G. S. Shedler: An anomaly in space-time characteristics of "
    "certain programs running in a paging machine. Communications of the ACM 12 (1969) 349–353",
    "BMN2011": "G. S. Brodal, G. Moruz, A. Negoescu: OnlineMIN: A fast strongly competitive randomized "
    "paging algorithm. Approximation and Online Algorithms (WAOA) 2011",
    "BBN2012": "N. Bansal, N. Buchbinder, J. Naor: A primal-dual randomized algorithm for weighted paging. "
    "Journal of the ACM 59 (2012) 19:1–19:24",
    "BorodinElYaniv1998": "A. Borodin, R. El-Yaniv: Online Computation and Competitive Analysis. "
    "Cambridge University Press, 1998",
    "CaoIrani1997": "P. Cao, S. Irani: Cost-aware WWW proxy caching algorithms. "
    "USENIX Symposium on Internet Technologies and Systems 1997",
    "Corbato1969": "F. J. Corbató: A paging experiment with the Multics system. In Honor of Philip M. Morse, "
    "MIT Press, 1969, 217–228",
    "Engines2026": "Inference engines: eviction rules of expert caches in code and pull requests of "
    "mixture-of-experts runtimes, as collected in 2026 and not read again here",
    "FKLMSY1991": "A. Fiat, R. M. Karp, M. Luby, L. A. McGeoch, D. D. Sleator, N. E. Young: Competitive "
    "paging algorithms. Journal of Algorithms 12 (1991) 685–699",
    "Guard2025": "Guard: robust learning-augmented caching that stays 1-consistent. 2025, as third parties "
    "report it and not read here",
    "HJSC2026": "D. Hoang, A. Jaiswal, M. Samragh, M. Cho: SpecMD: A comprehensive study on speculative "
    "expert prefetching. arXiv:2602.03921",
    "JohnsonShasha1994": "T. Johnson, D. Shasha: 2Q: A low overhead high performance buffer management "
    "replacement algorithm. VLDB 1994",
    "KLW1994": "R. Karedla, J. S. Love, B. G. Wherry: Caching strategies to improve disk system "
    "performance. IEEE Computer 27 (1994)",
    "KMRS1988": "A. R. Karlin, M. S. Manasse, L. Rudolph, D. D. Sleator: Competitive snoopy caching. "
    "Algorithmica 3 (1988) 79–119",
    "LibCacheSim2025": "J. Yang: libCacheSim, a library of cache simulators in C, release 0.3.5 of its "
    "Python package",
    "LTR2024": "O. Levy, N. Touitou, A. Rosenberg: Online weighted paging with unknown weights. "
    "NeurIPS 2024, arXiv:2410.21266",
    "LykourisVassilvitskii2021": "T. Lykouris, S. Vassilvitskii: Competitive caching with machine learned "
    "advice. Journal of the ACM 68 (2021)",
    "McGeochSleator1991": "L. A. McGeoch, D. D. Sleator: A strongly competitive randomized paging "
    "algorithm. Algorithmica 6 (1991) 816–825",
    "MegiddoModha2003": "N. Megiddo, D. S. Modha: ARC: A self-tuning, low overhead replacement cache. "
    "FAST 2003",
    "PJDSG2022": "S. G. Patil, P. Jain, P. Dutta, I. Stoica, J. E. Gonzalez: POET: Training neural networks "
    "on tiny devices with integrated rematerialization and paging. ICML 2022, arXiv:2207.07697",
    "RaghavanSnir1994": "P. Raghavan, M. Snir: Memory versus randomization in on-line algorithms. "
    "IBM Journal of Research and Development 38 (1994) 683–707",
    "Rohatgi2020": "D. Rohatgi: Near-optimal bounds for online caching with machine learned advice. "
    "SODA 2020",
    "SKO2025": "D. Sivtsov, A. Katrutsa, I. Oseledets: Cluster topology-driven placement of experts reduces "
    "network traffic in MoE inference. arXiv:2508.09229",
    "SleatorTarjan1985": "D. D. Sleator, R. E. Tarjan: Amortized efficiency of list update and paging rules. "
    "Communications of the ACM 28 (1985) 202–208",
    "TLHPWHLG2024": "P. Tang, J. Liu, X. Hou, Y. Pu, J. Wang, P.-A. Heng, C. Li, M. Guo: HOBBIT: A mixed "
    "precision expert offloading system for fast MoE inference. arXiv:2411.01433",
    "Wei2020": "A. Wei: Better and simpler learning-augmented online caching. APPROX/RANDOM 2020",
    "YZQYR2023": "J. Yang, Y. Zhang, Z. Qiu, Y. Yue, R. Vinayak: FIFO queues are all you need for cache "
    "eviction. SOSP 2023",
    "Young1991": "N. E. Young: On-line caching as cache size varies. SODA 1991, 241–250",
    "Young2002": "N. E. Young: On-line file caching. Algorithmica 33 (2002) 371–383",
    "ZYYVR2024": "Y. Zhang, J. Yang, Y. Yue, Y. Vigfusson, K. V. Rashmi: SIEVE is simpler than LRU: an "
    "efficient turn-key eviction algorithm for web caches. NSDI 2024",
    "here": "This project: statements and proofs in docs/",
}


def cite(key: str) -> str:
    """Return a source in short: surnames and year.

    Examples
    --------
    >>> cite("SleatorTarjan1985"), cite("FKLMSY1991"), cite("here")
    ('Sleator and Tarjan 1985', 'Fiat et al. 1991', 'this project')
    """
    if key not in SOURCES:
        return key  # an outside package says it in full
    if not key[-4:].isdigit():
        return "this project"
    names = [name.split()[-1] for name in SOURCES[key].partition(":")[0].split(", ")]
    authors = " and ".join(names) if len(names) <= 2 else f"{names[0]} et al."
    return f"{authors} {key[-4:]}"
