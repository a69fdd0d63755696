(** * OPT's labels, as a checker computes them

    One label per page, 0 ... h, request by request, as numbers that a program computes with (docs/exact.md, section 1).
    They are the labels of [WorkLabels.v] ([labels_agree]), so their increments add up to OPT ([labels_opt]). *)

From Formal Require WorkLabels.
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

Let hn := N.to_nat h.

Definition paid_so_far s : nat := paid_from (no_labels I) s.

Lemma paid_rcons y s p : paid_from y (rcons s p) = paid_from y s + N.to_nat (increment (foldl relabel y s p)).
Proof. by elim: s y => [|q s ih] y /=; rewrite ?addn0 // ih addnA. Qed.

Lemma labels_after_rcons s p : labels_after (rcons s p) = relabel (labels_after s) p.
Proof. exact: foldl_rcons. Qed.

Lemma paid_so_far_rcons s p : paid_so_far (rcons s p) = paid_so_far s + N.to_nat (increment (labels_after s p)).
Proof. exact: paid_rcons. Qed.

Theorem labels_agree s q : N.to_nat (labels_after s q) = WorkLabels.labels hn s q.
Proof.
elim/last_ind: s q => [|s p ih] q; first by rewrite !ffunE.
rewrite labels_after_rcons WorkLabels.labels_rcons; move: (labels_after s) (WorkLabels.labels hn s) ih => y lab ih.
have eq0 a : (lab a == 0) = N.eqb (y a) 0%num by rewrite -ih; case: (y a) => [|z]; apply/eqP => /=; lia.
have full_ : full_labels y = (hn <= #|[set a | 0 < lab a]|).
  rewrite (_ : [set a | 0 < lab a] = cached y); last by apply/setP=> a; rewrite !inE ltbN ih.
  by rewrite count_cachedE /full_labels /positives /hn; move: (count_cached _) => n; apply/N.leb_spec0/idP; lia.
rewrite /relabel ffunE /WorkLabels.serve_label; case: (lab p =P hn) => [eq|ne].
  case: (eqVneq q p) => [->|_]; first by rewrite eq.
  rewrite /moved -eq0 eq -ih.
  rewrite (_ : (hn == 0) = false); last by move: h0; rewrite ltbN /hn; case: (N.to_nat h).
  by case: ifP => // /andP[/N.leb_le a /N.ltb_lt b]; move: (ih p) eq; rewrite /hn => <- eq; lia.
rewrite eq0 /moved full_; case: N.eqb_spec => _; rewrite ffunE; case: (q =P p) => // _; rewrite -!ih.
  have -> : N.eqb (y q) h = (N.to_nat (y q) == hn) by apply/N.eqb_spec/eqP; rewrite /hn; lia.
  by case: ifP => _ //; rewrite /hn; lia.
have -> : N.leb (y p) (y q) && N.ltb (y q) h = (N.to_nat (y p) <= N.to_nat (y q) < hn).
  by rewrite ltbN /hn; congr (_ && _); apply/N.leb_spec0/idP; lia.
by case: ifP => _ //; lia.
Qed.

(** What the labels add up to is OPT with [h] pages. *)
Theorem labels_opt s : paid_so_far s = opt hn s.
Proof.
have h1 : 0 < hn by move: h0; rewrite ltbN.
elim/last_ind: s => [|s p ih]; first by rewrite /opt /work ffunE cards0.
rewrite paid_so_far_rcons (WorkLabels.opt_labels h1) ih -labels_agree; congr (_ + _).
by rewrite /increment; case: (labels_after s p) => [|z] //=; case: (posnP (Pos.to_nat z)) => //; lia.
Qed.

End Labels.
