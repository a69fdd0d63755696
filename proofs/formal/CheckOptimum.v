(** * A checker of the type [optimum]

    A schedule from above, a dual from below (docs/certificates.md): prices [y >= 0] of a slot at some steps. Numbers that
    may be fractions are given multiplied by a common [scale]. *)

From Formal Require Export Instances.

Record optimum := Optimum {
  opt_instance : instance;
  opt_requests : seq N;
  opt_scale : N;
  opt_lower : Z; (* times scale *)
  opt_upper : Z
}.

Record optimum_evidence := OptimumEvidence {
  opt_schedule : seq Z;
  opt_prices : seq (N * N) (* steps, increasing, and prices times scale *)
}.

Section Dual.

Variables (I : instance) (scale : N).

(** What a page has paid for a slot since it was requested last, at most [scale]; that much if it never was. *)
Definition paid (level : N) (since : PM.t N) (p : N) : N :=
  if PM.find (N.succ_pos p) since is Some before then N.min scale (N.sub level before) else scale.

(** Prices add up to [level]; the requests bring [gain], of which [loss] is not proved. *)
Fixpoint dual_bound level since (gain loss t : N) (rs : seq N) (prices : seq (N * N)) : option (N * N) :=
  if rs is p :: rs' then
    let: (y, later) :=
      if prices is (u, y) :: later then if N.eqb u t then (y, later) else (0%num, prices) else (0%num, prices) in
    let level' := N.add level y in
    dual_bound level' (PM.add (N.succ_pos p) level' since) (N.add gain scale)
      (N.add loss (N.add (N.sub scale (paid level since p)) (N.mul y (N.pred (slots I))))) (N.succ t) rs' later
  else if prices is [::] then Some (gain, loss) else None.

Lemma paid_le level since p : N.to_nat (paid level since p) <= N.to_nat scale.
Proof. by rewrite /paid; case: PM.find => [b|]; lia. Qed.

Lemma paid_grows level since p q y : q != p ->
  N.to_nat (paid (N.add level y) (PM.add (N.succ_pos p) (N.add level y) since) q) <=
  N.to_nat (paid level since q) + N.to_nat y.
Proof.
move=> ne; rewrite /paid PM.gso; last by move/succ_pos_inj/eqP; rewrite (negbTE ne).
by case: PM.find => [b|]; lia.
Qed.

Lemma paid_now level since p : paid level (PM.add (N.succ_pos p) level since) p = 0%num.
Proof. by rewrite /paid PM.gss; lia. Qed.

Lemma dual_boundP level since gain loss t rs prices g l (C : {set P I}) cs :
  all (fun p => N.ltb p (page_count I)) rs ->
  dual_bound level since gain loss t rs prices = Some (g, l) ->
  schedule (N.to_nat (slots I)) [seq page I p | p <- rs] cs ->
  N.to_nat g + N.to_nat loss <= N.to_nat gain + N.to_nat l +
    \sum_(q in C) N.to_nat (paid level since (num q)) + N.to_nat scale * cost_from C cs.
Proof.
elim: rs level since gain loss t prices C cs => [|p rs ih] level since gain loss t prices C [|D cs] //=.
  by case: prices => // _ [-> ->] _; lia.
case/andP=> pI rsI; set step := if prices is _ :: _ then _ else _; case: step => y later.
move=> /ih{ih} ih; rewrite /schedule /= => /andP[/andP[pD sizeD] sched]; have {ih} := ih D cs rsI sched.
set level' := N.add level y; set since' := PM.add _ _ _.
set now := \sum_(q in C) _; set then_ := \sum_(q in D) _ => ih.
suff : N.to_nat (paid level since p) + then_ <=
    N.to_nat y * (N.to_nat (slots I)).-1 + now + N.to_nat scale * loads C D.
  move: ih (paid_le level since p); rewrite mulnDr; move: (N.to_nat scale * cost_from _ _) (N.to_nat scale * loads _ _).
  move: (paid _ _ _) => c; rewrite !N2Nat.inj_add mulN N2Nat.inj_sub N2Nat.inj_pred.
  by move: (N.to_nat y * _) => x; lia.
have grows : then_ <= \sum_(q in D :\ page I p) N.to_nat (paid level since (num q)) + N.to_nat y * (N.to_nat (slots I)).-1.
  rewrite /then_ (big_setD1 _ pD) /= {1}/since' num_page // paid_now add0n.
  apply: (@leq_trans (\sum_(q in D :\ page I p) (N.to_nat (paid level since (num q)) + N.to_nat y))).
    apply: leq_sum => q; rewrite inE => /andP[ne _]; apply: paid_grows.
    by rewrite -(num_page pI) (inj_eq (@num_inj I)) -in_set1.
  rewrite big_split /= leq_add2l sum_nat_const mulnC leq_mul2l; apply/orP; right.
  by move: sizeD; rewrite (cardsD1 (page I p)) pD /=; move: #|_| (N.to_nat (slots I)) => x z; lia.
have all_D : N.to_nat (paid level since p) + \sum_(q in D :\ page I p) N.to_nat (paid level since (num q)) =
    \sum_(q in D) N.to_nat (paid level since (num q)).
  by rewrite [RHS](big_setD1 _ pD) /= num_page.
have : \sum_(q in D) N.to_nat (paid level since (num q)) <= now + N.to_nat scale * loads C D.
  rewrite (big_setID C) /=; apply: leq_add.
    by rewrite /now [X in _ <= X](big_setID D) /= setIC leq_addr.
  by rewrite /loads mulnC -sum_nat_const; apply: leq_sum => q _; apply: paid_le.
by move: grows all_D; lia.
Qed.

End Dual.

Definition check_optimum (c : optimum) (e : optimum_evidence) : bool :=
  let I := opt_instance c in
  [&& N.ltb 0%num (opt_scale c), legal_from I 0%num (opt_requests c),
      (if carry_out I (PM.empty unit) (slots I) 0%num (opt_requests c) (opt_schedule e) is Some (_, faults)
       then Z.eqb (opt_upper c) (Z.of_N (N.mul (opt_scale c) faults)) else false) &
      (if dual_bound I (opt_scale c) 0%num (PM.empty N) 0%num 0%num 0%num (opt_requests c) (opt_prices e) is Some (g, l)
       then Z.eqb (opt_lower c) (Z.sub (Z.of_N g) (Z.of_N l)) else false)].

(** The requests are legal; a schedule costs [upper]/[scale], and no schedule costs less than [lower]/[scale]. *)
Theorem check_optimum_sound c e : check_optimum c e ->
  let I := opt_instance c in let s := [seq page I p | p <- opt_requests c] in let k := N.to_nat (slots I) in
  [/\ [seq num q | q <- s] = opt_requests c, legal (@layer I) s,
    (exists2 caches, schedule k s caches & Z.mul (Z.of_N (opt_scale c)) (Z.of_nat (cost caches)) = opt_upper c) &
    forall caches, schedule k s caches -> Z.le (opt_lower c) (Z.mul (Z.of_N (opt_scale c)) (Z.of_nat (cost caches)))].
Proof.
case/and4P=> _ leg up low /=; have [same ok] := legalP leg; have range := legal_range leg; split=> //.
  move: up; case eq : (carry_out _ _ _ _ _ _) => [[m faults]|] // /Z.eqb_eq->.
  have room : #|pages_in (opt_instance c) (PM.empty unit)| + N.to_nat (slots (opt_instance c)) =
    N.to_nat (slots (opt_instance c)) by rewrite pages_in_empty cards0.
  have [cs [sched cost_ _]] := carry_outP range room eq.
  by exists cs => //; move: cost_; rewrite pages_in_empty /cost; lia.
move=> cs sched; move: low; case eq : (dual_bound _ _ _ _ _ _ _ _ _) => [[g l]|] // /Z.eqb_eq->.
have := dual_boundP set0 range eq sched; rewrite big_set0 addn0 /cost.
by move: (cost_from _ _) => x; lia.
Qed.
