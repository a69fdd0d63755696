(** * What the theorems assume: nothing

    Every theorem that docs/formal.md names stands here; each line prints what the theorem rests on beside the logic. *)

From Formal Require Import Model Lower Marking Conservative Farthest WorkFunction Certificates OptimalCaches.
From Formal Require Import WorkLabels Zrc Latest CheckOptimum CheckCycle Labels CheckPotential Lazy CheckGame LruRule.

Print Assumptions ratio_one.
Print Assumptions L2.
Print Assumptions L2_refuted.
Print Assumptions sleator_tarjan_lower.
Print Assumptions marking_upper.
Print Assumptions lru_valid.
Print Assumptions lru_marking.
Print Assumptions lru_upper.
Print Assumptions conservative_upper.
Print Assumptions fifo_valid.
Print Assumptions fifo_conservative.
Print Assumptions fifo_upper.
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
Print Assumptions labels_support.
Print Assumptions labels_family.
Print Assumptions labels_zero.
Print Assumptions labels_sure.
Print Assumptions opt_labels.
Print Assumptions labels_work.
Print Assumptions zrc_valid.
Print Assumptions zrc_exists.
Print Assumptions zrc_upper.
Print Assumptions zrc_upper_half.
Print Assumptions best_ratio.
Print Assumptions one_slot_each.
Print Assumptions one_slot_each_tight.
Print Assumptions lru_keeps.
Print Assumptions zrc_keeps.
Print Assumptions window_cost.
Print Assumptions doubled.
Print Assumptions lru_sure.
Print Assumptions lru_doubled.
Print Assumptions lru_doubled_tight.
Print Assumptions schedule_sound.
Print Assumptions check_optimum_sound.
Print Assumptions check_cycle_sound.
Print Assumptions labels_agree.
Print Assumptions labels_opt.
Print Assumptions check_potential_sound.
Print Assumptions lazy_exists.
Print Assumptions lazy_competitive.
Print Assumptions check_game_sound.
Print Assumptions lru_rule.
