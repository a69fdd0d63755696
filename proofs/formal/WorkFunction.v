(** * The work function

    [work k s C] is the least cost of serving the requests [s] with a cache of [k] pages and loading after that what is
    missing from [C]. It is computed request by request, and [opt k s], the least cost of a schedule for [s], is its
    value at the empty cache, since evictions are free. [work_least] and [work_attained] say that these names are
    earned. *)

From Formal Require Export Model.

Section WorkFunction.

Variables (P : finType) (k : nat).

Notation work_function := {ffun {set P} -> nat}.
Implicit Types (w : work_function) (C D : {set P}).

Definition serves p C := (p \in C) && (#|C| <= k).

(** From which cache the page [p] is best served if the cache is to become [C]. *)
Definition best w p C : {set P} := [arg min_(D < [set p] | serves p D) (w D + loads D C)].

Definition update w p : work_function := [ffun C : {set P} => w (best w p C) + loads (best w p C) C].

Definition start : work_function := [ffun C : {set P} => #|C|].

Definition work s : work_function := foldl update start s.

Definition opt s : nat := work s set0.

Lemma work_rcons s p : work (rcons s p) = update (work s) p.
Proof. exact: foldl_rcons. Qed.

Hypothesis k0 : 0 < k.

Lemma updateP w p C : exists D, [/\ serves p D, update w p C = w D + loads D C &
  forall E, serves p E -> update w p C <= w E + loads E C].
Proof.
rewrite ffunE /best; case: arg_minnP => [|D ok least]; first by rewrite /serves inE eqxx cards1.
by exists D.
Qed.

Lemma update_shift (w v : work_function) o p : (forall C, v C = w C + o) ->
  forall C, update v p C = update w p C + o.
Proof.
move=> eq C; have [D [okD eD leD]] := updateP w p C; have [E [okE eE leE]] := updateP v p C.
have := leD _ okE; have := leE _ okD; rewrite eD eE !eq.
by move: (w D) (w E) => a b; lia.
Qed.

(** Every schedule costs what the work function says, or more. *)
Theorem work_least s cs C : schedule k s cs -> work s C <= cost cs + loads (last set0 cs) C.
Proof.
elim/last_ind: s cs C => [|s p ih] cs C; first by case: cs => //; rewrite /work ffunE /loads setD0.
case/schedule_rconsP=> cs' [D [-> sched pD sizeD]]; rewrite last_rcons cost_rcons work_rcons.
have [E [_ _ least]] := updateP (work s) p C.
by apply: leq_trans (least D _) _; rewrite ?leq_add2r ?ih // /serves pD.
Qed.

(** And some schedule costs just that. *)
Theorem work_attained s C : exists2 cs, schedule k s cs & cost cs + loads (last set0 cs) C = work s C.
Proof.
elim/last_ind: s C => [|s p ih] C; first by exists [::]; rewrite // /work ffunE /loads setD0.
have [D [/andP[pD sizeD] eq _]] := updateP (work s) p C; have [cs sched eqD] := ih D.
exists (rcons cs D); first by rewrite schedule_rcons sched pD.
by rewrite last_rcons cost_rcons eqD work_rcons.
Qed.

Corollary opt_least s cs : schedule k s cs -> opt s <= cost cs.
Proof. by move/work_least=> /(_ set0); rewrite /loads set0D cards0 addn0. Qed.

Corollary opt_attained s : exists2 cs, schedule k s cs & cost cs = opt s.
Proof.
by have [cs sched eq] := work_attained s set0; exists cs; rewrite // /opt -eq /loads set0D cards0 addn0.
Qed.

Lemma work_min s C : opt s <= work s C.
Proof.
have [cs sched <-] := work_attained s C; exact: leq_trans (opt_least sched) (leq_addr _ _).
Qed.

Lemma opt_mono s p : opt s <= opt (rcons s p).
Proof.
rewrite {2}/opt work_rcons; have [D [_ -> _]] := updateP (work s) p set0.
exact: leq_trans (work_min _ _) (leq_addr _ _).
Qed.

(** To be competitive against all schedules is to be competitive against [opt]. *)
Lemma competitive_opt l (layer : P -> 'I_l) A p q b :
  competitive layer k A p q b <-> (forall s, legal layer s -> q * cost_of A s <= p * opt s + b).
Proof.
split=> comp s; first by move=> leg; have [cs sched <-] := opt_attained s; apply: comp.
by move=> cs leg sched; apply: leq_trans (comp s leg) _; rewrite leq_add2r leq_mul2l opt_least ?orbT.
Qed.

(** The work function less its least value, which is all that the future depends on. *)
Definition norm w : work_function := [ffun C : {set P} => w C - w set0].

Lemma work_norm s C : work s C = norm (work s) C + opt s.
Proof. by rewrite ffunE subnK // work_min. Qed.

Lemma opt_step s p : opt (rcons s p) = update (norm (work s)) p set0 + opt s.
Proof. by rewrite /opt work_rcons; apply: (update_shift p (work_norm s)). Qed.

Lemma norm_step s p : norm (work (rcons s p)) = norm (update (norm (work s)) p).
Proof.
by apply/ffunP=> C; rewrite 2!ffunE work_rcons !(update_shift p (work_norm s)) subnDr.
Qed.

End WorkFunction.
