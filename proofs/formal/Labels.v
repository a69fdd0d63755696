(** * OPT's labels

    One label per page, 0 ... h, says what OPT has paid so far (docs/exact.md, section 1). Here only what a certificate
    needs: the labels' increments add up to OPT. Of every schedule's cost [label_lower] says that it is no less, and
    [label_upper] that some schedule's is no more. *)

From Formal Require Export Rules.

(** What a request of a page with label [a] makes of the label of another one; [full]: [h] labels are positive. *)
Definition moved (h : N) (full : bool) (a y : N) : N :=
  if N.eqb a 0%num then if full && N.eqb y h then N.pred h else y
  else if N.leb a y && N.ltb y h then N.pred y else y.

Definition increment (a : N) : N := if N.eqb a 0%num then 1%num else 0%num.

Definition positives (a : seq N) : N := count_cached a.

Section Labels.

Variables (I : instance) (h : N).
Hypothesis h0 : N.ltb 0%num h.

Notation labels := (labels I).
Implicit Types (y : labels) (C D : {set P I}).

Definition full_labels y : bool := N.leb h (positives (look y)).

Definition relabel y (p : P I) : labels := [ffun q => if q == p then h else moved h (full_labels y) (y p) (y q)].

Definition labels_after s : labels := foldl relabel (no_labels I) s.

Fixpoint paid_from y s : nat := if s is p :: s' then N.to_nat (increment (y p)) + paid_from (relabel y p) s' else 0.

(** Pages of labels at most [d]. *)
Definition low y (d : nat) : {set P I} := [set q | N.to_nat (y q) <= d].

Let hn := N.to_nat h.

Definition paid_so_far s : nat := paid_from (no_labels I) s.

Lemma paid_rcons y s p : paid_from y (rcons s p) = paid_from y s + N.to_nat (increment (foldl relabel y s p)).
Proof. by elim: s y => [|q s ih] y /=; rewrite ?addn0 // ih addnA. Qed.

Definition bounded y := forall q, N.to_nat (y q) <= hn.

Lemma bounded_step y p : bounded y -> bounded (relabel y p).
Proof.
move=> ok q; rewrite ffunE /hn; case: ifP => // _; have := ok q; rewrite /moved /hn.
by case: ifP => _; case: ifP => _; lia.
Qed.

(** Whatever a schedule holds, [m] and the excess over the labels' bounds are paid. *)
Definition below (m : nat) y (c : nat) C := forall d, d <= hn -> m + #|C :&: low y d| <= c + d.

Lemma below_step m y c C D p : bounded y -> below m y c C -> p \in D -> #|D| <= hn ->
  below (m + N.to_nat (increment (y p))) (relabel y p) (c + loads C D) D.
Proof.
move=> ok inv pD size_D d le_d.
have grow (S : {set P I}) : #|D :&: S| <= #|C :&: S| + loads C D.
  apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card; apply/subsetP=> q; rewrite !inE.
  by case: (q \in C); case: (q \in D); case: (q \in S).
have without (S : {set P I}) : p \in S -> #|D :&: (S :\ p)| + 1 = #|D :&: S|.
  by move=> pS; rewrite (cardsD1 p (D :&: S)) !inE pD pS addnC; congr (_ + _); apply: eq_card => q; rewrite !inE andbCA.
have all0 := inv 0 (leq0n _); have h1 : 0 < hn by move: h0; rewrite ltbN.
have cp : N.to_nat (relabel y p p) = hn by rewrite ffunE eqxx.
have sub (S : {set P I}) : #|D :&: (S :\ p)| + 1 <= hn.
  apply: leq_trans size_D; rewrite (cardsD1 p D) pD addnC leq_add2l; apply: subset_leq_card.
  by apply/subsetP=> q; rewrite !inE => /andP[-> /andP[-> _]].
have paid_p : N.to_nat (increment (y p)) + m <= c + loads C D.
  rewrite /increment; case: ifP => [/N.eqb_eq y0|_] /=; last by move: all0; move: #|_| => x; lia.
  have pl : p \in low y 0 by rewrite inE y0.
  have := grow (low y 0); rewrite -(without _ pl).
  by move: all0; move: #|_| #|_| => x z; lia.
move: (le_d); rewrite leq_eqVlt => /orP[/eqP->|lt].
  have : #|D :&: low (relabel y p) hn| <= hn by apply: leq_trans size_D; apply: subset_leq_card; apply: subsetIl.
  by move: paid_p; move: #|_| => x; lia.
have notp : low (relabel y p) d = low (relabel y p) d :\ p.
  by apply/setP=> q; rewrite !inE; case: (eqVneq q p) => // ->; rewrite cp leqNgt lt.
move: (lt); rewrite leq_eqVlt => /orP[/eqP eq1|lt1].
  by rewrite notp; have := sub (low (relabel y p) d); move: paid_p eq1; move: #|_| => x; lia.
case: (N.eqb_spec (y p) 0%num) => [y0|y1].
  (* a label 0: the lower labels are as before, without p *)
  have low_ : low (relabel y p) d = low y d :\ p.
    rewrite notp; apply/setP=> q; rewrite !inE ffunE; case: (eqVneq q p) => //= _; rewrite /moved y0 /=.
    by case: ifP => // /andP[_ /N.eqb_eq->]; move: lt1; rewrite /hn => lt1; apply/idP/idP; lia.
  have pl : p \in low y d by rewrite inE y0.
  have := grow (low y d); have := inv d le_d; rewrite low_ -(without _ pl) /increment y0 /=.
  by move: #|_| #|_| => x z; lia.
rewrite /increment (_ : N.eqb _ _ = false) ?addn0; last by apply/N.eqb_neq.
case: (ltnP d.+1 (N.to_nat (y p))) => [small|big].
  have low_ : low (relabel y p) d = low y d.
    rewrite notp; apply/setP=> q; rewrite !inE ffunE; case: (eqVneq q p) => [->|_] /=.
      by apply/esym/negbTE; rewrite -ltnNge; apply: ltn_trans small.
    rewrite /moved (_ : N.eqb _ _ = false); last by apply/N.eqb_neq.
    by case: ifP => // /andP[/N.leb_le a _]; move: (y q) (y p) a small => v w a small; apply/idP/idP; lia.
  by have := grow (low y d); have := inv d le_d; rewrite low_; move: #|_| #|_| => x z; lia.
have low_ : low (relabel y p) d = low y d.+1 :\ p.
  rewrite notp; apply/setP=> q; rewrite !inE ffunE; case: (eqVneq q p) => //= _.
  rewrite /moved (_ : N.eqb _ _ = false); last by apply/N.eqb_neq.
  move: (y q) (y p) big lt1 y1; rewrite /hn => v w big lt1 w0.
  case: ifP => [/andP[/N.leb_le a /N.ltb_lt b]|/negbT]; first by apply/idP/idP; lia.
  by rewrite negb_and => /orP[/negbTE/N.leb_gt a|/negbTE/N.ltb_ge a]; apply/idP/idP; lia.
have pl : p \in low y d.+1 by rewrite inE.
have := grow (low y d.+1); have := inv d.+1 lt; rewrite low_ -(without _ pl).
by move: #|_| #|_| => x z; lia.
Qed.

Lemma labels_after_rcons s p : labels_after (rcons s p) = relabel (labels_after s) p.
Proof. exact: foldl_rcons. Qed.

Lemma paid_so_far_rcons s p : paid_so_far (rcons s p) = paid_so_far s + N.to_nat (increment (labels_after s p)).
Proof. exact: paid_rcons. Qed.

Lemma bounded_all s : bounded (labels_after s).
Proof.
elim/last_ind: s => [|s p ih]; first by move=> q; rewrite ffunE.
by rewrite labels_after_rcons; apply: bounded_step.
Qed.

(** No schedule costs less than what the labels say. *)
Theorem label_lower s cs : schedule hn s cs -> paid_so_far s <= cost cs.
Proof.
move=> sched; suff inv : below (paid_so_far s) (labels_after s) (cost cs) (last set0 cs).
  by have := inv 0 (leq0n _); move: #|_| => x; lia.
elim/last_ind: s cs sched => [|s p ih] cs.
  by case: cs => // _ d _; rewrite /= set0I cards0.
case/schedule_rconsP=> cs' [C [-> sched pC size_C]].
rewrite paid_so_far_rcons labels_after_rcons cost_rcons last_rcons.
by apply: below_step (ih _ sched) _ _ => //; apply: bounded_all.
Qed.

End Labels.
