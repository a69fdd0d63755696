(** * Conservative algorithms and FIFO: at most k / (k - h + 1), with additive constant 0

    A conservative algorithm pays at most [k] for consecutive requests to at most [k] pages, and from the start no more
    than once for each of them. Against a cache of [h <= k] pages its ratio is at most [k / (k - h + 1)]. FIFO is one of
    them. *)

From Formal Require Export Model.

Section Conservative.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat).
Implicit Types (s u v : seq P) (p q y : P) (A : algorithm P) (C : {set P}).

Definition conservative A : Prop :=
  (forall u v, legal layer (u ++ v) -> size (undup v) <= k -> cost_of A (u ++ v) <= cost_of A u + k) /\
  (forall s, legal layer s -> size (undup s) <= k -> cost_of A s <= size (undup s)).

(** The last requests to [k] pages, and the one before them, to another page. *)
Lemma last_stretch s : k < size (undup s) -> exists u y v, [/\ s = rcons u y ++ v, y \notin v & size (undup v) = k].
Proof.
elim: s => //= x s ih; case: (boolP (x \in s)) => [_ /ih|xs /=]; last rewrite ltnS leq_eqVlt => /orP[/eqP eq|/ih].
- by case=> u [y [v [-> yv eq]]]; exists (x :: u), y, v.
- by exists [::], x, s.
by case=> u [y [v [-> yv eq]]]; exists (x :: u), y, v.
Qed.

Lemma schedule_cat h u v caches : schedule h (u ++ v) caches ->
  exists c d, [/\ caches = c ++ d, schedule h u c & schedule h v d].
Proof.
elim: u caches => [|p u ih] caches; first by exists [::], caches.
case: caches => //= C caches /andP[here /ih[c [d [-> cu dv]]]]; exists (C :: c), d; split=> //.
by rewrite /schedule /= here.
Qed.

Lemma cost_from_cat C c d : cost_from C (c ++ d) = cost_from C c + cost_from (last C c) d.
Proof. by elim: c C => //= D c ih C; rewrite ih addnA. Qed.

(** Pages that are requested and not cached are loaded. *)
Lemma cost_from_distinct h s C caches : schedule h s caches -> #|[set q in s] :\: C| <= cost_from C caches.
Proof.
elim: s C caches => [|p s ih] C [|D caches] //=.
  by rewrite (_ : _ :\: _ = set0) ?cards0 //; apply/setP=> q; rewrite !inE andbF.
case/andP=> /andP[pD _] /ih le; apply: leq_trans (leq_add (leqnn _) (le D)).
apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card; apply/subsetP=> q; rewrite !inE.
by case: (eqVneq q p) => [->|_] /=; [rewrite pD => /andP[->]|case: (q \in D); case: (q \in C)].
Qed.

Theorem conservative_upper A h : h <= k -> conservative A -> competitive layer h A k (k - h + 1) 0.
Proof.
move=> hk [stretch start] s; have [n] := ubnP (size s); elim: n s => // n ih s small caches leg sched; rewrite addn0.
case: (posnP h) sched => [->|h0] sched.
  case: s sched leg {small} => [|p s]; first by rewrite /cost_of /run /= muln0.
  case: caches => //= C caches /andP[/andP[pC]]; rewrite leqn0 cards_eq0 => /eqP e; by rewrite e inE in pC.
case: (leqP (size (undup s)) k) => [few|many].
  apply: leq_mul; first by move: hk h0; clear; lia.
  apply: leq_trans (start s leg few) _; apply: leq_trans (cost_of_distinct sched).
  rewrite -(card_uniqP (undup_uniq s)); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE mem_undup => ->.
  by rewrite orbT.
have [u [y [v [e yv size_v]]]] := last_stretch many; rewrite e in small leg sched *.
have [c [d [eq cu dv]]] := schedule_cat sched; rewrite eq /cost cost_from_cat -/(cost c).
have legu : legal layer (rcons u y) by have := legal_take (i := size (rcons u y)) leg; rewrite take_size_cat.
have le := ih (rcons u y) _ c legu cu; rewrite addn0 in le.
have paid := stretch (rcons u y) v leg; rewrite size_v in paid.
have [c' [C [ec _ yC size_C]]] := schedule_rconsP cu.
have := cost_from_distinct (last set0 c) dv; rewrite ec last_rcons.
have size_set : #|[set q in v]| = k.
  by rewrite cardsE -size_v -(card_uniqP (undup_uniq v)); apply: eq_card => q; rewrite mem_undup.
have : #|[set q in v] :&: C| < h.
  apply: leq_trans size_C; apply: proper_card; apply/properP; split; first exact: subsetIr.
  by exists y; rewrite // !inE (negbTE yv).
have := cardsID C [set q in v]; rewrite size_set => split_ lt le'.
have {le'} more : k - h + 1 <= cost_from C d by move: split_ lt le' hk; clear; lia.
rewrite -ec mulnDr.
have lt_size : size (rcons u y) < n.
  move: small; rewrite size_cat; have : 0 < size v by case: (v) size_v hk h0 => //= <-; case: (h).
  by clear; lia.
have : (k - h + 1) * cost_of A (rcons u y ++ v) <= (k - h + 1) * (cost_of A (rcons u y) + k).
  by rewrite leq_mul2l paid ?orbT.
rewrite mulnDr; have : k * (k - h + 1) <= k * cost_from C d by rewrite leq_mul2l more orbT.
by rewrite [k * (k - h + 1)]mulnC; move: (le lt_size); clear; lia.
Qed.

(** ** FIFO *)

(** The cached pages, the one loaded last first. *)
Definition fifo_step (queue : seq P) p : seq P := if p \in queue then queue else take k (p :: queue).
Definition fifo_queue s : seq P := foldl fifo_step [::] s.
Definition fifo : algorithm P := fun s => [set q in fifo_queue s].

Hypothesis k0 : 0 < k.

Lemma fifo_rcons s p : fifo_queue (rcons s p) = fifo_step (fifo_queue s) p.
Proof. exact: foldl_rcons. Qed.

Lemma fifo_size s : size (fifo_queue s) <= k.
Proof.
elim/last_ind: s => // s p ih; rewrite fifo_rcons /fifo_step; case: ifP => // _.
by rewrite size_take; case: ltnP.
Qed.

Lemma fifo_valid : valid layer k fifo.
Proof.
split=> [|s p _]; first by apply/setP=> q; rewrite !inE.
split; last by rewrite cardsE; apply: leq_trans (card_size _) (fifo_size _).
rewrite inE fifo_rcons /fifo_step; case: ifP => // _; by rewrite -(prednK k0) /= mem_head.
Qed.

Lemma fifo_cost s p : cost_of fifo (rcons s p) <= cost_of fifo s + (p \notin fifo_queue s).
Proof.
rewrite (cost_of_rcons _ _ fifo_valid) leq_add2l /loads /fifo fifo_rcons /fifo_step.
case: ifP => hit; first by rewrite setDv cards0.
rewrite /= -(cards1 p); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE => /andP[out /mem_take].
by rewrite inE (negbTE out) orbF.
Qed.

(** The pages [L] loaded in [v] are different ones, as long as there are at most [k] pages in [v]. *)
Lemma fifo_stretch u v : size (undup v) <= k -> exists L : seq P,
  [/\ fifo_queue (u ++ v) = take k (L ++ fifo_queue u), cost_of fifo (u ++ v) <= cost_of fifo u + size L,
      {subset L <= v} & uniq L].
Proof.
elim/last_ind: v => [|v p ih] few.
  by exists [::]; rewrite cats0 addn0 take_oversize ?fifo_size.
have in_rcons q : q \in v -> q \in rcons v p by rewrite mem_rcons inE orbC => ->.
have fewer : size (undup v) <= k.
  apply: leq_trans few; rewrite uniq_leq_size ?undup_uniq // => q; rewrite !mem_undup; exact: in_rcons.
have [L [eq le sub uL]] := ih fewer; rewrite -rcons_cat fifo_rcons /fifo_step.
have := fifo_cost (u ++ v) p; case: (boolP (p \in fifo_queue (u ++ v))) => hit /= paid.
  by exists L; split=> //; [move: paid le; clear; lia|move=> q /sub/in_rcons].
have size_L : size L <= k by apply: leq_trans fewer; apply: uniq_leq_size => // q /sub; rewrite mem_undup.
have pL : p \notin L by apply: contra hit; rewrite eq take_cat ltnNge size_L /= mem_cat => ->.
exists (p :: L); split=> /=; last by rewrite pL.
- by rewrite eq -(prednK k0) /= take_take // prednK.
- by move: paid le; clear; lia.
by move=> q; rewrite inE mem_rcons inE => /orP[->//|/sub ->]; rewrite orbT.
Qed.

Lemma fifo_conservative : conservative fifo.
Proof.
have size_le v (L : seq P) : {subset L <= v} -> uniq L -> size L <= size (undup v).
  by move=> sub uL; apply: uniq_leq_size => // q /sub; rewrite mem_undup.
split=> [u v _ few|s _ few].
  have [L [_ le sub uL]] := fifo_stretch u few; apply: leq_trans le _.
  by rewrite leq_add2l (leq_trans (size_le v L sub uL)).
have [L [_ le sub uL]] := fifo_stretch [::] few; apply: leq_trans le _.
by rewrite add0n size_le.
Qed.

Theorem fifo_upper h : h <= k -> competitive layer h fifo k (k - h + 1) 0.
Proof. by move=> hk; apply: conservative_upper => //; apply: fifo_conservative. Qed.

End Conservative.
