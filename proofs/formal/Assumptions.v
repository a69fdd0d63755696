(** * What the theorems assume: nothing

    Every theorem that docs/formal.md names stands here; each line prints what the theorem rests on beside the logic. *)

From Formal Require Import Model Lower Marking Farthest WorkFunction Certificates OptimalCaches Zrc.
From Formal Require Import CheckOptimum CheckCycle.

Print Assumptions ratio_one.
Print Assumptions L2.
Print Assumptions L2_refuted.
Print Assumptions sleator_tarjan_lower.
Print Assumptions marking_upper.
Print Assumptions lru_valid.
Print Assumptions lru_marking.
Print Assumptions lru_upper.
Print Assumptions farthest_exists.
Print Assumptions farthest_optimal.
Print Assumptions work_least.
Print Assumptions work_attained.
Print Assumptions competitive_opt.
Print Assumptions potential_sound.
Print Assumptions cycle_sound.
Print Assumptions family_optimal.
Print Assumptions work_family.
Print Assumptions opt_increments.
Print Assumptions zrc_valid.
Print Assumptions zrc_exists.
Print Assumptions zrc_upper.
Print Assumptions zrc_upper_half.
Print Assumptions best_ratio.
Print Assumptions schedule_sound.
Print Assumptions check_optimum_sound.
Print Assumptions check_cycle_sound.
