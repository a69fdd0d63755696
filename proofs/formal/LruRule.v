(** * The rule of LRU is LRU

    What [Rules.lru] does with recency ranks is what [Marking.lru] says of the pages requested last. *)

From Formal Require Import Marking.
From Formal Require Import Rules.

Section Lru.

Variable I : instance.
Let k := N.to_nat (slots I).

Implicit Types (s : seq (P I)) (p q : P I).

(** The label of a page: its place among the [k] pages requested last, counted from 1; 0 for others. *)
Definition rank_of s q : N :=
  let i := index q (recent s) in if (i < k) && (q \in s) then N.of_nat i.+1 else 0%num.

Hypothesis k0 : N.ltb 0%num (slots I).

Lemma index_filter (R : seq (P I)) p q : q != p -> uniq R ->
  (index q [seq x <- R | x != p]).+1 = if index p R < index q R then index q R else (index q R).+1.
Proof.
move=> ne; elim: R => //= r R ih /andP[rR uR]; case: (eqVneq r p) => [eq|rp] /=.
  rewrite eq in rR *; rewrite (eq_sym p q) (negbTE ne) /= (_ : [seq x <- R | x != p] = R) //.
  by apply/all_filterP/allP=> x xR; apply: contraNneq rR => <-.
by case: (eqVneq r q) => //= _; rewrite ih // ltnS; case: ifP.
Qed.

Lemma rank_step s p q :
  rank_of (rcons s p) q = if q == p then 1%num else age (slots I) (rank_of s p) (rank_of s q).
Proof.
rewrite /rank_of recent_rcons mem_rcons in_cons /= eq_sym; case: (eqVneq q p) => [_|ne].
  by move: k0; rewrite ltbN -/k => ->.
rewrite index_filter ?recent_uniq // orFb.
have mem x : (x \in s) = (index x (recent s) < size (recent s)) by rewrite index_mem mem_rev mem_undup.
rewrite !mem; have lek x : index x (recent s) <= size (recent s) by apply: index_size.
have differ : index q (recent s) < size (recent s) -> index p (recent s) <> index q (recent s).
  by rewrite -mem => qs eq; move/eqP: ne; apply; rewrite -(nth_index q (_ : q \in recent s)) ?mem_rev ?mem_undup // -eq nth_index // -index_mem eq index_mem mem_rev mem_undup.
have := lek p; have := lek q; have eqk : slots I = N.of_nat k by rewrite N2Nat.id.
rewrite eqk /age; move: (index p _) (index q _) (size _) differ (k) => j i m differ kk lei lej.
case: (ltnP i m) differ => [im /(_ isT) differ|mi _]; rewrite ?andbF ?andbT //=.
case: (ltnP i kk) => [ik|ki]; last first.
  by rewrite (_ : (_ < kk) = false) //; apply/negbTE; rewrite -leqNgt; case: ifP => _ //; apply: leqW.
rewrite (_ : N.eqb (N.of_nat i.+1) 0%num = false) //; case: (ltnP j i) => [ji|ij].
  rewrite ik (ltn_trans ji ik) (ltn_trans ji im) /= (_ : N.ltb _ _ = false) //.
  by apply/N.ltb_ge; lia.
have {}ij : i < j by rewrite ltn_neqAle ij andbT; apply/eqP=> e; apply: differ.
case: (boolP ((j < kk) && (j < m))) => [/andP[jk jm]|_] /=.
  rewrite (leq_ltn_trans ij jk) (_ : N.ltb _ _ = true) -?Nat2N.inj_succ //.
  by apply/N.ltb_lt; lia.
rewrite (_ : N.ltb _ _ = (i.+1 < kk)) -?Nat2N.inj_succ //.
by apply/idP/idP => [/N.ltb_lt|lt]; [lia|apply/N.ltb_lt; lia].
Qed.

Theorem lru_rule s : @policy I lru s = Marking.lru k s.
Proof.
have memE q : memory (no_labels I) (serve Rules.lru) s q = rank_of s q.
  elim/last_ind: s q => [|s p ih] q; first by rewrite ffunE /rank_of in_nil andbF.
  by rewrite memory_rcons ffunE rank_step /= !ih.
apply/setP=> q; rewrite inE memE inE /rank_of; have R : (q \in recent s) = (q \in s) by rewrite mem_rev mem_undup.
case: (boolP (q \in s)) => qs; last by rewrite andbF; apply/esym/negbTE; apply: contra qs => /mem_take; rewrite R.
by rewrite andbT in_take ?R //; case: ifP.
Qed.

End Lru.
