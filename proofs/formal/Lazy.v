(** * Lazy versions of algorithms

    A lazy algorithm loads a page only when it is requested, and evicts only then, only if its cache is full, and one page.
    Every valid algorithm has a lazy version that costs no more on any legal sequence: what is forced on all lazy
    algorithms is forced on all (docs/game.md, demand paging). *)

From Formal Require Export Model.

Section Lazy.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat).

Implicit Types (A L : algorithm P) (C : {set P}).

(** What a lazy algorithm may make of its cache [C] when [p] is requested. *)
Variant lazy_step C p : {set P} -> Prop :=
  | Hit of p \in C : lazy_step C p C
  | Room of p \notin C & #|C| < k : lazy_step C p (p |: C)
  | Evict v of p \notin C & #|C| = k & v \in C : lazy_step C p (p |: (C :\ v)).

Definition lazy L := L [::] = set0 /\ forall s p, legal layer (rcons s p) -> lazy_step (L s) p (L (rcons s p)).

Lemma lazy_loads C D p : lazy_step C p D -> loads C D = (p \notin C).
Proof.
have new (E : {set P}) : E \subset C -> p \notin C -> #|(p |: E) :\: C| = 1.
  move=> sub out; rewrite (_ : _ :\: _ = [set p]) ?cards1 //; apply/setP=> q; rewrite !inE.
  case: (eqVneq q p) => [->|_] /=; first by rewrite out.
  by case: (boolP (q \in E)) => [/(subsetP sub)->|]; rewrite ?andbF.
case=> [hit|out _|v out _ _]; rewrite /loads ?out; first by rewrite setDv cards0 hit.
  exact: new.
by apply: new => //; apply: subsetDl.
Qed.

Lemma lazy_small C D p : 0 < k -> #|C| <= k -> lazy_step C p D -> #|D| <= k.
Proof.
move=> k0 small [_|out room|v out full vC] //; first by rewrite cardsU1 out.
rewrite cardsU1 !inE (negbTE out) andbF /= -full (cardsD1 v C) vC; exact: leqnn.
Qed.

Lemma lazy_has C D p : lazy_step C p D -> p \in D.
Proof. by case=> [//|_ _|v _ _ _]; rewrite !inE eqxx. Qed.

(** The lazy version: a page leaves that the algorithm does not hold. *)
Definition lazily A (now : seq P * {set P}) p : seq P * {set P} :=
  let: (past, C) := now in
  (rcons past p,
   if p \in C then C else if #|C| < k then p |: C
   else if [pick v in C :\: A (rcons past p)] is Some v then p |: (C :\ v) else p |: C).

Definition lazy_version A : algorithm P := fun s => (foldl (lazily A) ([::], set0) s).2.

Lemma lazy_version_rcons A s p : lazy_version A (rcons s p) = (lazily A (s, lazy_version A s) p).2.
Proof.
rewrite /lazy_version foldl_rcons; congr (lazily A _ p).2.
suff: (foldl (lazily A) ([::], set0) s).1 = s by case: (foldl _ _ s) => a b /= ->.
by elim/last_ind: s => // s q ih; rewrite foldl_rcons; move: ih; case: (foldl _ _ s) => a b /= ->.
Qed.

Theorem lazy_exists A : 0 < k -> valid layer k A ->
  lazy (lazy_version A) /\ forall s, legal layer s -> cost_of (lazy_version A) s <= cost_of A s.
Proof.
move=> k0 ok; set L := lazy_version A.
have L0 : L [::] = set0 by [].
have step s p : legal layer (rcons s p) -> #|L s| <= k ->
    lazy_step (L s) p (L (rcons s p)) /\ A (rcons s p) :\: L (rcons s p) = A (rcons s p) :\: (p |: L s).
  move=> leg small; have [pA sizeA] := ok.2 s p leg; rewrite /L lazy_version_rcons -/L /=.
  case: (boolP (p \in L s)) => [hit|out].
    by split; [apply: Hit|congr (_ :\: _); apply/esym/setUidPr; rewrite sub1set].
  case: ltnP => [room|le_k]; first by split=> //; apply: Room.
  have full : #|L s| = k by apply/eqP; rewrite eqn_leq small.
  case: pickP => [v|none].
    rewrite inE => /andP[vA vL]; split; first exact: Evict.
    apply/setP=> q; rewrite !inE; case: (eqVneq q v) => [->|_] /=; last by [].
    by rewrite (negbTE vA) !andbF.
  have sub : p |: L s \subset A (rcons s p).
    apply/subsetP=> q; rewrite !inE => /orP[/eqP->//|qL].
    by have := none q; rewrite !inE qL andbT => /negbFE.
  have := subset_leq_card sub; rewrite cardsU1 out full => more.
  by have := leq_trans more sizeA; rewrite add1n ltnn.
have small s : legal layer s -> #|L s| <= k.
  elim/last_ind: s => [|s p ih] leg; first by rewrite L0 cards0.
  have [leg' _] := (legal_rcons layer s p).1 leg; have /ih le := leg'.
  by have [st _] := step s p leg le; apply: lazy_small st.
split; first by split=> // s p leg; have [leg' _] := (legal_rcons layer s p).1 leg; have [] := step s p leg (small s leg').
have cost_ s p : cost_of L (rcons s p) = cost_of L s + loads (L s) (L (rcons s p)).
  rewrite /cost_of run_rcons cost_rcons; congr (_ + loads _ _).
  by case/lastP: s => [|s q]; rewrite ?run_rcons ?last_rcons.
move=> s; suff gen : legal layer s -> cost_of L s + #|A s :\: L s| <= cost_of A s.
  by move=> leg; apply: leq_trans (leq_addr _ _) (gen leg).
elim/last_ind: s => [|s p ih] leg; first by rewrite ok.1 set0D cards0.
have [leg' _] := (legal_rcons layer s p).1 leg; have [st eq] := step s p leg (small s leg').
rewrite cost_ (lazy_loads st) eq (cost_of_rcons _ _ ok).
have [pA _] := ok.2 s p leg.
have new : (p \notin L s) + #|A (rcons s p) :\: (p |: L s)| = #|A (rcons s p) :\: L s|.
  by rewrite (cardsD1 p (_ :\: L s)) !inE pA andbT; congr (_ + _); apply: eq_card => q; rewrite !inE negb_or andbA.
have old : #|A (rcons s p) :\: L s| <= #|A s :\: L s| + loads (A s) (A (rcons s p)).
  apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card.
  by apply/subsetP=> q; rewrite !inE; case: (q \in A s); case: (q \in A (rcons s p)); case: (q \in L s).
by have := ih leg'; move: new old; move: (nat_of_bool _) #|_| #|_| #|_| (loads _ _) => a b c d e; lia.
Qed.

(** Who is competitive has a lazy version that is. *)
Corollary lazy_competitive A h p q b : 0 < k -> valid layer k A -> competitive layer h A p q b ->
  exists2 L, lazy L & competitive layer h L p q b.
Proof.
move=> k0 ok comp; have [lz le] := lazy_exists k0 ok; exists (lazy_version A) => // s cs leg sched.
by apply: leq_trans (comp s cs leg sched); rewrite leq_mul2l le ?orbT.
Qed.

End Lazy.
