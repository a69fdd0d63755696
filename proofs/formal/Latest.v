(** * Keeping the latest page of each layer

    Algorithms that load only what is requested and keep the pages of the last [l] requests, one for each layer: zrc
    and LRU, if [l <= k]. What such an algorithm pays for at most [l] requests is at most what OPT pays for them and the
    [l - 1] requests before, and [k - l] ([window_cost]). For [k = l] there is no choice left, and the ratio is 2 - 1/l
    (Theorem 4 of docs/zrc.md). For [k > l] it is at most 2(k - l) + 1 if sure pages are kept, too, and just that for
    LRU if [k < 2l] (Theorem 5). *)

From Formal Require Export WorkLabels Zrc.

Section Windows.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat).
Implicit Types (s u v : seq P) (p q : P) (B C : {set P}).

Definition keeps_latest (A : algorithm P) : Prop :=
  forall s p, legal layer (rcons s p) ->
    A (rcons s p) \subset p |: A s /\ {subset take l (rev (rcons s p)) <= A (rcons s p)}.

Hypotheses (l0 : 0 < l) (lk : l <= k).
Let k0 : 0 < k := leq_trans l0 lk.

(** The pages requested last, one for each layer. *)
Definition latest_pages (s : seq P) : {set P} := [set q in take l (rev s)].

Lemma latest_uniq s : legal layer s -> uniq (take l (rev s)).
Proof.
elim/last_ind: s => // s p ih leg; have [leg' _] := (legal_rcons layer s p).1 leg.
rewrite rev_rcons -(prednK l0) /=; apply/andP; split.
  by apply/negP=> /(other_layer l0 leg); rewrite eqxx.
by have := ih leg'; rewrite -(cat_take_drop l.-1 (take l (rev s))) cat_uniq take_take ?leq_pred // => /andP[].
Qed.

(** A page that is not among the latest ones was not requested in the [l - 1] requests before either. *)
Lemma not_latest s p : legal layer (rcons s p) -> p \notin take l (rev s) -> p \notin take (l + l.-1) (rev s).
Proof.
move=> leg out; apply/negP=> /(nthP p)[i]; rewrite size_take size_rev => lt.
have lt_s : i < size s by case: ifP lt => [a b|_ //]; apply: ltn_trans b a.
have {}lt : i < l + l.-1 by case: ifP lt => // /negbT; rewrite -leqNgt => le lt; apply: leq_trans lt le.
rewrite nth_take // => eq; case: (ltnP i l) => [small|large].
  by case/negP: out; rewrite -eq -(nth_take p small) mem_nth // size_take size_rev; case: ifP.
have /(congr1 (@nat_of_ord l)) := congr1 layer eq; rewrite (layer_ago leg lt_s) (layer_now leg) => /esym/eqP.
rewrite eqn_mod_dvd ?leq_subr // subKn // => /dvdnP[n e]; move: (prednK l0) lt large e; move: l.-1 => l'.
by case: n => [|[|n]]; rewrite ?mulSn ?mul0n; [| |move: (n * l)]; clear; lia.
Qed.

(** Every member of the family lacks at most as many of the pages requested last as OPT has paid since the first of
    these requests. *)
Lemma latest_lacking u p v B : B \in fam k (rcons u p ++ v) ->
  #|[set q in p :: v] :\: B| + opt k (rcons u p) <= opt k (rcons u p ++ v).
Proof.
elim/last_ind: v B => [|v q ih] B.
  rewrite cats0 => BF; rewrite (_ : _ :\: _ = set0) ?cards0 //; apply/eqP; rewrite setD_eq0.
  apply/subsetP=> z; rewrite !inE => /eqP->; move: BF; apply/sureP; rewrite sure_since // since_rcons.
  by case: ifP; rewrite inE eqxx.
rewrite -rcons_cat (opt_dead k0 (rcons u p ++ v)); set s := rcons u p ++ v in ih *; have m := matroid_all k0 s => BF.
have qB : q \in B.
  by move: BF; apply/sureP; rewrite sure_since // since_rcons; case: ifP; rewrite inE eqxx.
have drop_q : [set z in p :: rcons v q] :\: B \subset [set z in p :: v] :\: B.
  apply/subsetP=> z; rewrite !inE mem_rcons inE => /andP[zB]; rewrite zB /= orbCA => /orP[/eqP e|//].
  by rewrite e qB in zB.
case: (kinds q m) => [live|fq|[dq [C CF lt]]].
- move: BF; rewrite reveal_member // => /andP[/ih le _]; rewrite (negbTE live) addn0; apply: leq_trans le.
  by rewrite leq_add2r subset_leq_card.
- have [-> _] := andP fq; case/(full_member _ m fq): BF => C [x [CF xC eq]].
  apply: leq_trans (leq_add (ih C CF) (leqnn 1)); rewrite addnAC leq_add2r.
  apply: leq_trans (subset_leq_card drop_q) _; rewrite eq addnC -(cards1 x).
  apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card; apply/subsetP=> z; rewrite !inE.
  by case: (z == x) => //=; case: (z == q).
have [new one] := room_member k0 m dq CF lt; apply: leq_trans (leq_addr _ _); apply: leq_trans (ih C CF).
rewrite leq_add2r; apply: leq_trans (subset_leq_card drop_q) _; apply: subset_leq_card; apply: setDS.
by move: BF; rewrite new inE => /eqP->; apply: subsetUr.
Qed.

(** So at most [k - l] pages of a member, and one for each payment in the last [l - 1] requests, are not among the
    latest. *)
Lemma rank_rest s : legal layer s ->
  rank k s (~: latest_pages s) + opt k (take (size s - l.-1) s) <= k - l + opt k s.
Proof.
move=> leg; have m := matroid_all k0 s; case: (leqP l (size s)) => [long|short]; last first.
  rewrite (_ : size s - l.-1 = 0) ?take0; last by move: short; rewrite -{1}(prednK l0) ltnS -subn_eq0 => /eqP.
  have -> : opt k ([::] : seq P) = 0 by rewrite /opt /work ffunE cards0.
  rewrite addn0; apply: leq_trans (leq0n _); apply/rankP=> B BF; rewrite leqn0 cards_eq0; apply/eqP/setP=> q.
  rewrite !inE take_oversize ?size_rev 1?ltnW // mem_rev; apply/negP=> /andP[out qB].
  by rewrite (fam_sub m BF qB) in out.
set n := size s - l.-1; have lt_s : n.-1 < size s.
  by rewrite prednK /n; move: long l0; clear; lia.
have [p e] : exists p, s = rcons (take n.-1 s) p ++ drop n s.
  case: s leg m long @n lt_s => [|z s] leg m long n lt_s //; exists (nth z (z :: s) n.-1).
  rewrite -take_nth // prednK ?cat_take_drop // /n; move: long l0; clear; lia.
have n0 : 0 < n by rewrite /n; move: long l0; clear; lia.
have size_t : size (rcons (take n.-1 s) p) = n by rewrite size_rcons size_takel 1?ltnW // prednK.
have eq_n : take n s = rcons (take n.-1 s) p by rewrite {1}e (take_size_cat _ size_t).
have eL : latest_pages s = [set q in p :: drop n s].
  apply/setP=> q; rewrite !inE {1}e rev_cat rev_rcons take_cat size_rev size_drop.
  have -> : size s - n = l.-1 by rewrite /n; move: long l0; clear; lia.
  rewrite ltnNge leq_pred /= mem_cat mem_rev (_ : l - l.-1 = 1) /= ?take0 ?inE 1?orbC //.
  by move: l0; clear; lia.
have lacking B : B \in fam k s -> #|latest_pages s :\: B| + opt k (take n s) <= opt k s.
  by move=> BF; rewrite eL eq_n {3}e; apply: latest_lacking; rewrite -e.
have [B0 B0F] := fam_some m; rewrite addnC -leq_subRL; last first.
  by move: (lacking B0 B0F); move: (#|_|); clear; lia.
apply/rankP=> B BF; have le := lacking B BF.
have size_L : #|latest_pages s| = l.
  by rewrite cardsE (card_uniqP (latest_uniq leg)) size_takel // size_rev.
have -> : ~: latest_pages s :&: B = B :\: latest_pages s by rewrite setDE setIC.
have := cardsID (latest_pages s) B; have := cardsID B (latest_pages s); rewrite [B :&: _]setIC size_L.
by move: le lk (size_le m BF); move: (#|B|) (#|_|) (#|_|) (#|_|) (opt _ _) (opt _ _); clear; lia.
Qed.

Variable A : algorithm P.
Hypotheses (ok : valid layer k A) (keeps : keeps_latest A).

Lemma keeps_loads s p : legal layer (rcons s p) -> loads (A s) (A (rcons s p)) <= (p \notin A s).
Proof.
move=> leg; have [sub _] := keeps leg; rewrite /loads; case: (boolP (p \in A s)) => [hit|_].
  by rewrite leqn0 cards_eq0 setD_eq0; apply: subset_trans sub _; rewrite subUset sub1set hit subxx.
by rewrite /= -(cards1 p) subset_leq_card // subDset setUC.
Qed.

Lemma keeps_latest_pages s : legal layer s -> latest_pages s \subset A s.
Proof.
case/lastP: s => [|s p] leg; first by apply/subsetP=> q; rewrite inE.
by have [_ all] := keeps leg; apply/subsetP=> q; rewrite inE; apply: all.
Qed.

(** In at most [l] requests, faults that cost OPT nothing are on pages that were not among the latest before. *)
Lemma window u v : legal layer (u ++ v) -> size v <= l ->
  exists2 Q : {set P},
    cost_of A (u ++ v) + rank k (u ++ v) Q + opt k u <= cost_of A u + opt k (u ++ v) + rank k u (~: latest_pages u) &
    forall q, q \notin latest_pages u -> q \notin v -> q \in Q.
Proof.
elim/last_ind: v => [|v p ih] leg size_v.
  exists (~: latest_pages u); last by move=> q out _; rewrite in_setC.
  by rewrite cats0 -!addnA leq_add2l addnC.
move: leg size_v; rewrite -rcons_cat size_rcons => leg size_v.
have [leg' _] := (legal_rcons layer (u ++ v) p).1 leg; have [Q le inQ] := ih leg' (ltnW size_v).
have paid := keeps_loads leg; rewrite (cost_of_rcons _ _ ok) opt_dead //; set s := u ++ v in leg leg' le paid *.
exists (Q :\ p); last first.
  by move=> q qL; rewrite mem_rcons inE negb_or => /andP[qp qv]; rewrite !inE qp inQ.
have out : p \notin Q :\ p by rewrite !inE eqxx.
have down := leq_trans (rank_step k0 s out) (rank_sub k s (subsetDl Q [set p])).
case: (boolP (dead (fam k s) p)) => [dp|live].
  by move: le paid down (leq_b1 (p \notin A s)) => /=; move: (rank _ _ _) (rank _ _ _) (rank _ _ _); clear; lia.
case: (boolP (p \in A s)) paid => [_|pA] /= paid.
  by move: le paid down => /=; move: (rank _ _ _) (rank _ _ _) (rank _ _ _); clear; lia.
have pQ : p \in Q.
  have : p \notin take l (rev s) by apply: contra pA => pl; apply: (subsetP (keeps_latest_pages leg')); rewrite inE.
  move/(not_latest leg); rewrite /s rev_cat => pl.
  have small : size (rev v) <= l.-1 by rewrite size_rev -ltnS prednK.
  apply: inQ; apply: contra pl; rewrite ?inE => pin; rewrite take_cat ltnNge (leq_trans small (leq_addl _ _)) /= mem_cat.
    by rewrite (mem_take_le _ pin) ?orbT //; move: small; clear; lia.
  by rewrite mem_rev pin.
have := rank_reveal k0 live pQ; move: le paid => /=.
by move: (rank _ _ _) (rank _ _ _) (rank _ _ _); clear; lia.
Qed.

(** What is paid for at most [l] requests: what OPT pays for them and the [l - 1] requests before, and [k - l]. *)
Lemma window_cost u v : legal layer (u ++ v) -> size v <= l ->
  cost_of A (u ++ v) + opt k (take (size u - l.-1) u) <= cost_of A u + opt k (u ++ v) + (k - l).
Proof.
move=> leg size_v; have [Q le _] := window leg size_v.
have leg' : legal layer u by have := legal_take (i := size u) leg; rewrite take_size_cat.
have := rank_rest leg'; move: le; move: (rank _ _ _) (rank _ _ _); clear; lia.
Qed.

End Windows.

(** ** The average over all windows *)

Section Average.

Variables (l : nat) (F G : nat -> nat).
Hypotheses (F0 : F 0 = 0) (G0 : G 0 = 0) (G_mono : forall n, G n <= G n.+1).
Hypothesis window_le : forall n h, h <= l -> F (n + h) + G (n - l.-1) <= F n + G (n + h).

(** The sum of the last [m] values before [n]. *)
Definition last_sum (f : nat -> nat) m n := \sum_(i < m) f (n - i.+1).

Lemma last_sum_step (f : nat -> nat) m n : last_sum f m n.+1 + f (n - m) = last_sum f m n + f n.
Proof.
case: m => [|m]; first by rewrite /last_sum !big_ord0 subn0.
rewrite /last_sum big_ord_recl [in RHS]big_ord_recr /= subSS subn0.
by rewrite -addnA addnC; congr (_ + _ + _); apply: eq_bigr => i _; rewrite subSS.
Qed.

Lemma G_le m n : m <= n -> G m <= G n.
Proof. by move=> le; rewrite -(subnKC le); elim: (n - m) => [|i ih]; rewrite ?addn0 // addnS (leq_trans ih). Qed.

Hypothesis l0 : 0 < l.

Lemma last_sum_le n : last_sum F l n <= last_sum G (l + l.-1) n.
Proof.
elim: n => [|n ih]; first by rewrite /last_sum big1.
have := last_sum_step F l n; have := last_sum_step G (l + l.-1) n.
have := @window_le (n - l) (minn n l) (geq_minr _ _); rewrite (_ : n - l + minn n l = n); last by clear; lia.
rewrite -subnDA; move: ih; move: (last_sum _ _ _) (last_sum _ _ _) (last_sum _ _ _) (last_sum _ _ _) (F _) (G _).
by move=> a b c d; lia.
Qed.

Lemma last_sum_split (f : nat -> nat) m m' n : last_sum f (m + m') n = last_sum f m n + last_sum f m' (n - m).
Proof.
rewrite /last_sum big_split_ord /=; congr (_ + _); apply: eq_bigr => i _; by rewrite -subnDA addnS.
Qed.

Lemma average n : l * F n <= (l + l.-1) * G n.
Proof.
have each (i : 'I_l) : F n + G (n - i.+1 - l.-1) <= F (n - i.+1) + G n.
  have := @window_le (n - i.+1) (minn n i.+1) (leq_trans (geq_minr _ _) (ltn_ord i)).
  by rewrite (_ : n - i.+1 + minn n i.+1 = n) //; clear; lia.
have : \sum_(i < l) (F n + G (n - i.+1 - l.-1)) <= \sum_(i < l) (F (n - i.+1) + G n) by apply: leq_sum.
rewrite !big_split /= !sum_nat_const card_ord -/(last_sum F l n).
have -> : \sum_(i < l) G (n - i.+1 - l.-1) = last_sum G l (n - l.-1).
  by apply: eq_bigr => i _; rewrite subnAC.
have few : last_sum G l.-1 n <= l.-1 * G n.
  apply: (@leq_trans (\sum_(i < l.-1) G n)); last by rewrite sum_nat_const card_ord.
  by apply: leq_sum => i _; apply: G_le; apply: leq_subr.
have := last_sum_le n; rewrite [l + l.-1]addnC last_sum_split mulnDl.
by move: few; move: (last_sum _ _ _) (last_sum _ _ _) (last_sum _ _ _) (_ * _) (_ * _) (_ * _); clear; lia.
Qed.

End Average.

(** ** Theorem 4 of docs/zrc.md, from above *)

(** Two pages of each layer. *)
Lemma choose_two (P : finType) l (layer : P -> 'I_l) :
  (forall j, exists p q, [/\ layer p = j, layer q = j & p != q]) ->
  exists one two : 'I_l -> P, [/\ forall j, layer (one j) = j, forall j, layer (two j) = j & forall j, one j != two j].
Proof.
move=> two_each; have first j : exists p, [exists q, [&& layer p == j, layer q == j & p != q]].
  by have [p [q [/eqP lp /eqP lq pq]]] := two_each j; exists p; apply/existsP; exists q; rewrite lp lq.
pose one j := xchoose (first j); have oneP j := existsP (xchooseP (first j)).
exists one, (fun j => xchoose (oneP j)); split=> j; by have /and3P[/eqP ? /eqP ?] := xchooseP (oneP j).
Qed.

Section Bound.

Variables (P : finType) (l : nat) (layer : P -> 'I_l).
Hypothesis l0 : 0 < l.

Theorem one_slot_each A : valid layer l A -> keeps_latest layer A -> competitive layer l A (2 * l - 1) l 0.
Proof.
move=> ok keeps; apply/(competitive_opt l0) => s leg; rewrite addn0.
have -> : 2 * l - 1 = l + l.-1 by move: l0; clear; lia.
have grows n : opt l (take n s) <= opt l (take n.+1 s).
  case: (ltnP n (size s)) => [lt|ge]; last by rewrite !take_oversize // (leq_trans ge).
  by case: s leg lt => // z s' leg lt; rewrite (take_nth z) // opt_mono.
have := @average l (fun n => cost_of A (take n s)) (fun n => opt l (take n s)).
move=> /(_ _ _ _ _ l0 (size s)); rewrite take_size; apply.
- by rewrite take0.
- by rewrite take0 /opt /work ffunE cards0.
- exact: grows.
move=> n h le; case: (leqP n (size s)) => [small|large]; last first.
  have -> : cost_of A (take (n + h) s) = cost_of A (take n s).
    by rewrite !take_oversize // ?(leq_trans (ltnW large)) ?leq_addr // ltnW.
  by rewrite leq_add2l; apply: (@G_le (fun n => opt l (take n s))) => //; clear; lia.
have := @window_cost P l layer l l0 (leqnn l) A ok keeps (take n s) (take h (drop n s)).
rewrite -takeD subnn addn0 [size (take n s)]size_takel // take_take ?leq_subr //.
apply; first exact: (legal_take (i := n + h)).
by rewrite size_take; case: ltnP => // le'; apply: leq_trans le.
Qed.

(** ** From below: alternate two pages in each layer *)

Section Alternation.

Variables (one two : 'I_l -> P).
Hypotheses (layer_one : forall j, layer (one j) = j) (layer_two : forall j, layer (two j) = j).
Hypothesis differ : forall j, one j != two j.

Definition turn_at t : 'I_l := Ordinal (ltn_pmod t l0).
Definition page t : P := if odd (t %/ l) then two (turn_at t) else one (turn_at t).
Definition alternation n : seq P := [seq page t | t <- iota 0 n].

Lemma map_rcons_iota (T : Type) (f : nat -> T) n : [seq f t | t <- iota 0 n.+1] = rcons [seq f t | t <- iota 0 n] (f n).
Proof. by rewrite -addn1 iotaD map_cat cats1. Qed.

Lemma layer_page t : layer (page t) = turn_at t.
Proof. by rewrite /page; case: odd. Qed.

Lemma turn_period t : turn_at (t + l) = turn_at t.
Proof. by apply/val_inj; rewrite /= modnDr. Qed.

Lemma page_other t : page (t + l) != page t.
Proof.
have e : (t + l) %/ l = (t %/ l).+1 by rewrite addnC -{1}[l]mul1n divnMDl.
by rewrite /page turn_period e /=; case: odd => /=; rewrite ?differ // eq_sym differ.
Qed.

Lemma page_period t : page (t + (l + l)) = page t.
Proof.
have e : (t + (l + l)) %/ l = (t %/ l).+2 by rewrite addnC addnn -mul2n divnMDl.
by rewrite /page e addnA !turn_period /= negbK.
Qed.

Lemma size_alternation n : size (alternation n) = n.
Proof. by rewrite size_map size_iota. Qed.

Lemma legal_alternation n : legal layer (alternation n).
Proof.
elim: n => [|n ih]; first exact: legal_nil.
by rewrite /alternation map_rcons_iota; apply/legal_rcons; split=> //; rewrite layer_page size_alternation.
Qed.

Variable A : algorithm P.
Hypotheses (ok : valid layer l A) (keeps : keeps_latest layer A).

Lemma alternation_fault n : l <= n -> page n \notin A (alternation n).
Proof.
move=> le; set s := alternation n; have leg : legal layer (rcons s (page n)).
  by have := @legal_alternation n.+1; rewrite /alternation map_rcons_iota.
have [leg' _] := (legal_rcons layer s (page n)).1 leg; have size_s : size s = n by apply: size_alternation.
have eA : A s = latest_pages l s.
  apply/esym/eqP; rewrite eqEcard (keeps_latest_pages keeps leg') cardsE (card_uniqP (latest_uniq l0 leg')).
  rewrite size_takel ?size_rev ?size_s //.
  by case/lastP: (s) leg' => [|s' p] leg'; [rewrite ok.1 cards0|case: (ok.2 _ _ leg')].
rewrite eA inE -(prednK l0) (take_nth (page n)) ?size_rev ?size_s ?prednK // mem_rcons inE negb_or.
apply/andP; split; last by apply/negP=> /(other_layer l0 leg); rewrite eqxx.
rewrite nth_rev ?size_s ?prednK // (nth_map 0) ?size_iota 1?nth_iota ?add0n; try by move: le l0; clear; lia.
by rewrite -{1}(subnK le); apply: page_other.
Qed.

Lemma alternation_cost n : n <= cost_of A (alternation n) + l.
Proof.
elim: n => // n ih; rewrite /alternation map_rcons_iota -/(alternation n) (cost_of_rcons _ _ ok).
case: (leqP l n) => [le|lt]; last by apply: leq_trans lt (leq_addl _ _).
have paid : 0 < loads (A (alternation n)) (A (rcons (alternation n) (page n))).
  rewrite card_gt0; apply/set0Pn; exists (page n); rewrite inE (alternation_fault le).
  by have := @legal_alternation n.+1; rewrite /alternation map_rcons_iota => /ok.2[].
by move: ih paid; clear; lia.
Qed.

(** Offline: in each block of [2l - 1] requests keep the last [l - 1] pages; one slot serves the others. *)
Let block := 2 * l - 1.
Let block0 : 0 < block. Proof. by rewrite /block; move: l0; clear; lia. Qed.

Definition kept m : seq P := [seq page t | t <- iota (m * block + l) l.-1].
Definition offline_cache t : {set P} :=
  [set q in page (minn t (t %/ block * block + l.-1)) :: kept (t %/ block)].

Lemma offline_serves t : page t \in offline_cache t /\ #|offline_cache t| <= l.
Proof.
split; last by rewrite cardsE; apply: leq_trans (card_size _) _; rewrite /= size_map size_iota prednK.
rewrite !inE; case: (leqP t (t %/ block * block + l.-1)) => [le|lt]; first by rewrite eqxx.
apply/orP; right; apply: map_f; rewrite mem_iota.
have := divn_eq t block; have := ltn_pmod t block0; move: lt; rewrite /block.
by move: (_ %/ _ * _) (_ %% _) l0; clear; lia.
Qed.

Lemma kept_next m : {subset kept m.+1 <= page (m * block + l.-1) :: kept m}.
Proof.
move=> q /mapP[t]; rewrite mem_iota => range ->.
have [u -> ur] : exists2 u, t = u + (l + l) & m * block + l.-1 <= u < m * block + l.-1 + l.-1.
  by exists (t - (l + l)); move: range; rewrite mulSn /block; move: (m * _) l0; clear; lia.
rewrite page_period inE; case: (eqVneq u (m * block + l.-1)) => [->|ne]; first by rewrite eqxx.
by apply/orP; right; apply: map_f; rewrite mem_iota; move: ur ne l0; move: (m * _); clear; lia.
Qed.

Lemma succ_div d n : 0 < d ->
  [/\ n.+1 %/ d = n %/ d, n.+1 %% d = (n %% d).+1 & (n %% d).+1 < d] \/
  [/\ n.+1 %/ d = (n %/ d).+1, n.+1 %% d = 0 & (n %% d).+1 = d].
Proof.
move=> d0; have e : n.+1 = n %/ d * d + (n %% d).+1 by rewrite addnS -divn_eq.
have := ltn_pmod n d0; rewrite leq_eqVlt => /orP[/eqP end_|lt]; [right|left]; rewrite {1 2}e divnMDl // modnMDl.
  by rewrite end_ divnn d0 modnn addn1.
by rewrite (divn_small lt) (modn_small lt) addn0.
Qed.

Lemma offline_loads t : loads (offline_cache t) (offline_cache t.+1) <= (t.+1 %% block < l).
Proof.
have one_page (C D : {set P}) p : D \subset p |: C -> loads C D <= 1.
  by move=> sub; rewrite -(cards1 p) subset_leq_card // subDset setUC.
have e := divn_eq t block; rewrite /offline_cache.
case: (succ_div t block0) => [[-> -> _]|[-> -> end_]]; last first.
  rewrite l0; apply: one_page (page (minn t.+1 ((t %/ block).+1 * block + l.-1))) _.
  rewrite [minn t _](minn_idPr _); last by rewrite {2}e leq_add2l -ltnS end_ /block; move: l0; clear; lia.
  rewrite set_cons; apply: setUS; apply/subsetP=> q; rewrite inE => /kept_next; by rewrite !inE.
case: ltnP => [_|ge].
  apply: one_page (page (minn t.+1 (t %/ block * block + l.-1))) _.
  by rewrite set_cons; apply: setUS; apply/subsetP=> q; rewrite !inE => ->; rewrite orbT.
have late : t %/ block * block + l.-1 <= t by rewrite {2}e leq_add2l -ltnS prednK.
by rewrite (minn_idPr late) (minn_idPr (leq_trans late (leqnSn t))) /loads setDv cards0.
Qed.

Definition paid n := n %/ block * l + minn (n %% block) l.

Lemma paid_step n : paid n + (n %% block < l) <= paid n.+1.
Proof.
rewrite /paid; case: (succ_div n block0) => [[-> -> _]|[-> -> end_]]; last first.
  by rewrite mulSn; case: (ltnP (n %% block) l) => /=; move: (n %/ block * l) (n %% block); clear; lia.
by case: (ltnP (n %% block) l) => /=; move: (n %/ block * l) (n %% block); clear; lia.
Qed.

Lemma offline_cost n : cost [seq offline_cache t | t <- iota 0 n] <= l + paid n.
Proof.
elim: n => // n ih; rewrite map_rcons_iota cost_rcons; case: n ih => [|n] ih.
  apply: leq_trans (leq_addr _ _); rewrite /cost /= /loads setD0; exact: (offline_serves 0).2.
rewrite {2}map_rcons_iota last_rcons; apply: leq_trans (leq_add ih (offline_loads n)) _.
by rewrite -addnA leq_add2l paid_step.
Qed.

Lemma offline_schedule n : schedule l (alternation n) [seq offline_cache t | t <- iota 0 n].
Proof.
elim: n => // n ih; rewrite /alternation !map_rcons_iota schedule_rcons ih.
by have [-> ->] := offline_serves n.
Qed.

Lemma alternation_ratio : ratio_at_least layer l A (2 * l - 1) l.
Proof.
move=> p q b q0 less comp; pose n := (q * l + p * l + b).+1.
have := comp _ _ (@legal_alternation (n * block)) (offline_schedule (n * block)).
have := alternation_cost (n * block); have := offline_cost (n * block).
rewrite /paid modnMl mulnK // min0n addn0 -/block in less *; move: (cost _) (cost_of _ _) => opt_ alg le_opt le_alg.
have e1 : p * (l + n * l) = p * l + n * (p * l) by rewrite mulnDr (mulnCA p).
have e2 : q * (n * block) = n * (block * q) by rewrite mulnCA (mulnC q).
have : p * opt_ <= p * (l + n * l) by rewrite leq_mul2l le_opt orbT.
have : q * (n * block) <= q * (alg + l) by rewrite leq_mul2l le_alg orbT.
have : n * (p * l).+1 <= n * (block * q) by rewrite leq_mul2l less orbT.
have : n = (q * l + p * l + b).+1 by [].
rewrite e1 e2 mulnS mulnDr; move: (n * (block * q)) (n * (p * l)) => x y.
by clear le_opt le_alg e1 e2; move: n (q * l) (p * l) (q * alg) (p * opt_); clear; lia.
Qed.

End Alternation.

Theorem one_slot_each_tight A : (forall j, exists p q, [/\ layer p = j, layer q = j & p != q]) ->
  valid layer l A -> keeps_latest layer A ->
  competitive layer l A (2 * l - 1) l 0 /\ ratio_at_least layer l A (2 * l - 1) l.
Proof.
move=> two_each ok keeps; split; first exact: one_slot_each.
have [one_ [two_ [layer_one layer_two differ]]] := choose_two two_each.
exact: alternation_ratio layer_one layer_two differ _ ok keeps.
Qed.

End Bound.

(** ** Who keeps the latest pages *)

Lemma lru_keeps (P : finType) l (layer : P -> 'I_l) k : 0 < l -> l <= k -> keeps_latest layer (lru k).
Proof.
move=> l0 lk s p leg; split; first by case: (lru_marking (leq_trans l0 lk) leg).
move=> q ql; rewrite inE; apply: mem_take_le lk _; exact: latest_recent.
Qed.

Lemma zrc_keeps (P : finType) l (layer : P -> 'I_l) k A : 0 < l -> l <= k -> zrc layer k A -> keeps_latest layer A.
Proof.
move=> l0 lk zA s p leg; split; last by case: (cached_well_all l0 lk zA leg).
have := zA.2 s p leg; case: ifP => [_ ->|_]; first exact: subsetUr.
by case: ifP => [_ ->|_ [v _ ->]] //; apply: setUS; apply: subsetDl.
Qed.

(** ** Theorem 5 of docs/zrc.md, from above *)

(** Numbers: [F n] is what the policy has paid after [n] requests, [G n] what OPT has. *)
Section Chain.

Variables (l d : nat) (F G : nat -> nat).
Hypotheses (l0 : 0 < l) (d0 : 0 < d) (F0 : F 0 = 0) (G0 : G 0 = 0) (G1 : G 1 = 1).
Hypothesis G_step : forall n, G n <= G n.+1 <= (G n).+1.
Hypothesis window_le : forall n h, h <= l -> F (n + h) + G (n - l.-1) <= F n + G (n + h) + d.
Hypothesis late_le : forall t n, G t < G t.+1 -> t + l <= n -> G n = G t.+1 -> F n <= F (t + l) + d.

Let G_mono m n : m <= n -> G m <= G n.
Proof. by apply: G_le => i; case/andP: (G_step i). Qed.

(** An increment from which on the next [l] requests are paid for, with [d] to spare. *)
Definition anchor t := G t < G t.+1 /\ forall h, 0 < h -> h <= l -> F (t + h) + d <= 2 * d * G t.+1 + G (t + h).

Lemma anchor_alone t : G t < G t.+1 -> G (t - l.-1) = G t -> F t <= 2 * d * G t + G t -> anchor t.
Proof.
move=> inc alone le; split=> // h _ hl; have := window_le t hl; rewrite alone.
have -> : G t.+1 = G t + 1 by have /andP[_] := G_step t; move: inc; clear; lia.
by rewrite mulnDr; move: le; move: (_ * G t) => x; clear; lia.
Qed.

Lemma anchor_next t t' : anchor t -> t < t' -> t' < t + l -> G t' < G t'.+1 -> G t'.+1 = G (t + l) -> anchor t'.
Proof.
move=> [inc paid] lt lt' inc' last_; split=> // h h0 hl.
have less : G t.+1 < G t'.+1 by apply: leq_ltn_trans inc'; apply: G_mono.
have le2 : 2 * d * G t.+1 <= 2 * d * G t'.+1 by rewrite leq_mul2l ltnW ?orbT.
case: (leqP (t' + h) (t + l)) => [near|far].
  have := paid (t' + h - t); rewrite subnKC; last by move: lt; clear; lia.
  have pos : 0 < t' + h - t by move: lt; clear; lia.
  have le : t' + h - t <= l by move: near; clear; lia.
  by move=> /(_ pos le); move: le2; clear; lia.
have := paid l l0 (leqnn l); have := @window_le (t + l) (t' + h - (t + l)); rewrite (subnKC (ltnW far)).
have -> : t + l - l.-1 = t.+1 by move: l0; clear; lia.
have le : t' + h - (t + l) <= l by move: lt' hl; clear; lia.
move=> /(_ le); have [z z0 e] : exists2 z, 0 < z & G t'.+1 = G t.+1 + z.
  by exists (G t'.+1 - G t.+1); move: less; clear; lia.
rewrite -last_ e mulnDr -[2 * d * z]mulnA.
have : z <= d * z by rewrite leq_pmull.
have : d <= d * z by rewrite leq_pmulr.
by move: (d * z) (2 * d * _) => x y; clear; lia.
Qed.

Lemma last_increment a b : G a < G b -> exists t, [/\ a <= t, t < b, G t < G t.+1 & G t.+1 = G b].
Proof.
elim: b => [|b ih] less; first by rewrite G0 in less.
case: (ltnP (G b) (G b.+1)) => [inc|same].
  exists b; split=> //; rewrite leqNgt; apply/negP=> /G_mono; move: less; clear; lia.
have e : G b = G b.+1 by apply/eqP; rewrite eqn_leq same; case/andP: (G_step b) => ->.
have [|t [from lt inc last_]] := ih; first by rewrite e.
exists t; split=> //; [exact: leq_trans lt (leqnSn b)|by rewrite last_].
Qed.

Definition held n := exists t, [/\ t < n, anchor t & n <= t + l \/ G n = G t.+1].

Lemma held_le n : held n -> F n <= 2 * d * G n + G n.
Proof.
case=> t [lt [inc paid] far]; have le := G_mono lt; have le2 : 2 * d * G t.+1 <= 2 * d * G n by rewrite leq_mul2l le orbT.
case: (leqP n (t + l)) far => [near _|far [//|same]].
  have := paid (n - t); rewrite (subnKC (ltnW lt)) subn_gt0 leq_subLR => /(_ lt near).
  by move: le2; clear; lia.
have := late_le inc (ltnW far) same; have := paid l l0 (leqnn l); have := G_mono (ltnW far).
by move: le2; clear; lia.
Qed.

Lemma held_all n : held n.+1.
Proof.
elim: n => [|n ih].
  exists 0; split=> //; last by left.
  by apply: anchor_alone; rewrite ?G0 ?G1 ?F0.
have [t [lt anc far]] := ih; case: (leqP n.+2 (t + l)) => [near|]; first by exists t; split=> //; [exact: ltnW|left].
rewrite ltnS => away; case: (eqVneq (G n.+1) (G t.+1)) => [same|ne]; last first.
  have e : n.+1 = t + l by case: far => [le|e]; [apply/eqP; rewrite eqn_leq le|rewrite e eqxx in ne].
  have less : G t.+1 < G (t + l) by rewrite -e ltn_neqAle eq_sym ne; apply: G_mono.
  have [t' [le lt' inc last_]] := last_increment less; exists t'; split.
  - by rewrite e; apply: leq_trans lt' _.
  - exact: anchor_next anc le lt' inc last_.
  by left; rewrite e -addSn leq_add2r.
case: (ltnP (G n.+1) (G n.+2)) => [inc|le]; last first.
  exists t; split=> //; first exact: ltnW.
  by right; apply/eqP; rewrite -same eqn_leq le; case/andP: (G_step n.+1) => ->.
exists n.+1; split=> //; last by left; rewrite -addn1 leq_add2l.
apply: anchor_alone inc _ (held_le ih); apply/eqP; rewrite eqn_leq G_mono ?leq_subr //= same G_mono //.
by move: away l0; clear; lia.
Qed.

Lemma chain n : F n <= (2 * d + 1) * G n.
Proof. by case: n => [|n]; rewrite ?F0 // mulnDl mul1n; apply: held_le; apply: held_all. Qed.

End Chain.

Section Doubled.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat).
Hypotheses (l0 : 0 < l) (lk : l < k).
Let k0 : 0 < k := leq_trans l0 (ltnW lk).

Implicit Types (s u v : seq P) (p q : P) (A : algorithm P).

(** The sure pages are cached. *)
Definition keeps_sure A : Prop := forall s, legal layer s -> {subset since k s <= A s}.

(** While OPT pays nothing every request becomes sure. *)
Lemma since_free u v : opt k (u ++ v) = opt k u -> size (since k (u ++ v)) = size (since k u) + size v.
Proof.
elim/last_ind: v => [|v p ih]; first by rewrite cats0 addn0.
rewrite -rcons_cat opt_dead // => eq; have le : opt k u <= opt k (u ++ v).
  by elim/last_ind: (v) => [|w q ih']; rewrite ?cats0 // -rcons_cat; apply: leq_trans ih' (opt_mono k0 _ _).
have live : dead (fam k (u ++ v)) p = false by apply/negbTE; move: eq le; case: (dead _ _) => //=; clear; lia.
by rewrite since_rcons /full live /= ih ?size_rcons ?addnS //; move: eq; rewrite live addn0.
Qed.

Lemma cost_free A u v : valid layer k A -> keeps_latest layer A -> keeps_sure A -> legal layer (u ++ v) ->
  opt k (u ++ v) = opt k u ->
  cost_of A (u ++ v) + #|[set q in since k u]| <= cost_of A u + #|[set q in since k (u ++ v)]|.
Proof.
move=> ok keeps sure_; elim/last_ind: v => [|v p ih]; first by rewrite cats0.
rewrite -rcons_cat => leg; have [leg' _] := (legal_rcons layer (u ++ v) p).1 leg.
rewrite opt_dead // => eq; have le : opt k u <= opt k (u ++ v).
  by elim/last_ind: (v) => [|w q ih']; rewrite ?cats0 // -rcons_cat; apply: leq_trans ih' (opt_mono k0 _ _).
have live : dead (fam k (u ++ v)) p = false by apply/negbTE; move: eq le; case: (dead _ _) => //=; clear; lia.
rewrite live addn0 in eq; rewrite since_rcons /full live /= set_cons cardsU1 inE (cost_of_rcons _ _ ok).
have paid := keeps_loads keeps leg; have := ih leg' eq.
have : (p \notin A (u ++ v)) <= (p \notin since k (u ++ v)).
  by case: (boolP (p \in since k (u ++ v))) => [/sure_ ->|_]; rewrite ?leq_b1.
by move: paid; move: (nat_of_bool _) (nat_of_bool _) (#|_|) (#|_|); clear; lia.
Qed.

Lemma late_cost A u p v w : valid layer k A -> keeps_latest layer A -> keeps_sure A ->
  legal layer (rcons u p ++ v ++ w) -> size v = l.-1 -> opt k (rcons u p ++ v ++ w) = opt k (rcons u p) ->
  cost_of A (rcons u p ++ v ++ w) <= cost_of A (rcons u p ++ v) + (k - l).
Proof.
move=> ok keeps sure_ leg size_v eq; set x := rcons u p ++ v.
have mono (a b : seq P) : opt k a <= opt k (a ++ b).
  by elim/last_ind: b => [|b q ih]; rewrite ?cats0 // -rcons_cat; apply: leq_trans ih (opt_mono k0 _ _).
have eq1 : opt k x = opt k (rcons u p).
  by apply/eqP; rewrite eqn_leq mono andbT -eq catA mono.
rewrite catA -/x in leg eq *; have legx : legal layer x.
  by have := legal_take (i := size x) leg; rewrite take_size_cat.
have := cost_free ok keeps sure_ leg; rewrite eq eq1 => /(_ erefl) le.
have long : l <= size (since k x).
  rewrite (since_free eq1) size_v -[X in X <= _](prednK l0) -add1n leq_add2r.
  by rewrite since_rcons; case: ifP.
have : l <= #|[set q in since k x]|.
  have size_x : l <= size x by rewrite size_cat size_rcons size_v addSn -[X in X <= _](prednK l0) ltnS leq_addl.
  have <- : size (take l (rev x)) = l by rewrite size_takel // size_rev.
  rewrite -(card_uniqP (latest_uniq l0 legx)) cardsE; apply: subset_leq_card; apply/subsetP=> q.
  exact: since_all.
by move: le (since_le k0 (x ++ w)) lk; clear; lia.
Qed.

Theorem doubled A : valid layer k A -> keeps_latest layer A -> keeps_sure A ->
  competitive layer k A (2 * (k - l) + 1) 1 0.
Proof.
move=> ok keeps sure_; apply/(competitive_opt k0) => s leg; rewrite addn0 mul1n.
have opt0 : opt k ([::] : seq P) = 0 by rewrite /opt /work ffunE cards0.
case: (posnP (size s)) => [/size0nil->|s0]; first by rewrite /cost_of /run.
have step n : opt k (take n s) <= opt k (take n.+1 s) <= (opt k (take n s)).+1.
  case: (ltnP n (size s)) => [lt|ge]; last by rewrite !take_oversize ?leqnn ?leqnSn // (leq_trans ge).
  case: s leg lt {s0} => // z s' leg lt; rewrite (take_nth z) // opt_dead // leq_addr -[X in _ <= X]addn1 leq_add2l.
  exact: leq_b1.
have mono m n : m <= n -> opt k (take m s) <= opt k (take n s).
  by apply: (@G_le (fun n => opt k (take n s))) => i; case/andP: (step i).
have := @chain l (k - l) (fun n => cost_of A (take n s)) (fun n => opt k (take n s)) l0.
rewrite subn_gt0 => /(_ lk _ _ _ step _ _ (size s)); rewrite take_size; apply.
- by rewrite take0.
- by rewrite take0.
- case: s s0 leg {step mono} => // z s' _ _; rewrite /= take0 -[[:: z]]/(rcons [::] z) opt_dead // opt0.
  by rewrite (_ : dead _ _ = true) //; apply/deadP=> B; rewrite inE => /eqP->; rewrite inE.
- move=> n h le; case: (leqP n (size s)) => [small|large]; last first.
    have -> : cost_of A (take (n + h) s) = cost_of A (take n s).
      by rewrite !take_oversize // ?(leq_trans (ltnW large)) ?leq_addr // ltnW.
    by rewrite -addnA leq_add2l; apply: leq_trans (leq_addr _ _); apply: mono; clear; lia.
  have := @window_cost P l layer k l0 (ltnW lk) A ok keeps (take n s) (take h (drop n s)).
  rewrite -takeD [size (take n s)]size_takel // take_take ?leq_subr //; apply; first exact: (legal_take (i := n + h)).
  by rewrite size_take; case: ltnP => // le'; apply: leq_trans le.
move=> t n inc le eq; case: (leqP (size s) (t + l)) => [short|long].
  by rewrite !take_oversize ?leq_addr // (leq_trans short).
have [p e] : exists p, take t.+1 s = rcons (take t s) p.
  case: (s) long => // z s' long; exists (nth z (z :: s') t); rewrite (take_nth z) //.
  by apply: leq_ltn_trans long; apply: leq_addr.
have e1 : take (t + l) s = rcons (take t s) p ++ take l.-1 (drop t.+1 s).
  by rewrite -e -takeD addSnnS prednK.
have e2 : take n s = rcons (take t s) p ++ take l.-1 (drop t.+1 s) ++ take (n - (t + l)) (drop (t + l) s).
  by rewrite catA -e1 -takeD subnKC.
rewrite e1 e2; apply: late_cost => //; rewrite -?e2 -?e //; first exact: legal_take.
by rewrite size_takel // size_drop; move: long l0; clear; lia.
Qed.

End Doubled.

Lemma lru_sure (P : finType) k (s : seq P) : 0 < k -> {subset since k s <= lru k s}.
Proof.
move=> k0 q; rewrite -sure_since // => /sureP all; apply: contraT => out; have m := matroid_all k0 s.
have [B BF] := fam_some m; have qB := all B BF.
have qR : q \in recent s by rewrite mem_rev mem_undup (fam_sub m BF qB).
have far : k <= index q (recent s) by move: out; rewrite inE in_take // -leqNgt.
have [v vL vB] : exists2 v, v \in lru k s & v \notin B.
  apply/subsetPn; apply: contra out => sub; suff -> : lru k s = B by [].
  apply/eqP; rewrite eqEcard sub /=; apply: leq_trans (size_le m BF) _.
  rewrite cardsE (card_uniqP (take_uniq _ (recent_uniq s))) size_takel //.
  by apply: ltnW; apply: leq_ltn_trans far _; rewrite index_mem.
rewrite inE in vL; have vR := mem_take vL.
have near : index v (recent s) < k by rewrite -in_take.
have vs : v \in s by move: vR; rewrite mem_rev mem_undup.
have := all _ (recency k0 BF qB vB vs (leq_trans near far)); rewrite !inE eqxx /= orbF => /eqP e.
by rewrite -e qB in vB.
Qed.

Theorem lru_doubled (P : finType) l (layer : P -> 'I_l) k : 0 < l -> l < k ->
  competitive layer k (lru k) (minn k (2 * (k - l) + 1)) 1 0.
Proof.
move=> l0 lk; have k0 : 0 < k := leq_trans l0 (ltnW lk); rewrite /minn; case: ifP => _.
  by have := @lru_upper P l layer k k0 k (leqnn k); rewrite subnn.
apply: doubled => //; [exact: lru_valid|exact: lru_keeps (ltnW lk)|by move=> s _; apply: lru_sure].
Qed.

(** ** Theorem 5 of docs/zrc.md, from below: LRU, if [l < k < 2l] *)

(** A page is not among the [k] requested last if [k] other ones have been requested since. *)
Lemma forgotten (P : finType) k (u v : seq P) p : p \notin v -> k <= size (undup v) -> p \notin lru k (u ++ v).
Proof.
move=> pv le; rewrite inE /recent undup_cat rev_cat take_cat size_rev.
move: le; rewrite leq_eqVlt => /orP[/eqP eq|lt].
  by rewrite eq ltnn subnn take0 cats0 mem_rev mem_undup.
by rewrite lt; apply: contra pv => /mem_take; rewrite mem_rev mem_undup.
Qed.

Section Rounds.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (d : nat).
Hypotheses (l0 : 0 < l) (d_l : d < l).
Variables (one two : 'I_l -> P).
Hypotheses (layer_one : forall j, layer (one j) = j) (layer_two : forall j, layer (two j) = j).
Hypothesis differ : forall j, one j != two j.

Let k := l + d.

Definition seat t : 'I_l := Ordinal (ltn_pmod t l0).

(** In turn the first [d + 1] layers alternate between two pages; the others have one. *)
Definition round_page t : P := if (t %% l <= d) && odd (t %/ l) then two (seat t) else one (seat t).
Definition rounds n : seq P := [seq round_page t | t <- iota 0 n].
Definition pool : {set P} := [set one j | j : 'I_l] :|: [set two j | j : 'I_l & j <= d].

Lemma layer_round t : layer (round_page t) = seat t.
Proof. by rewrite /round_page; case: ifP. Qed.

Lemma rounds_rcons n : rounds n.+1 = rcons (rounds n) (round_page n).
Proof. exact: map_rcons_iota. Qed.

Lemma rounds_legal n : legal layer (rounds n).
Proof.
elim: n => [|n ih]; first exact: legal_nil.
by rewrite rounds_rcons; apply/legal_rcons; split=> //; rewrite layer_round size_map size_iota.
Qed.

Lemma round_pool t : round_page t \in pool.
Proof.
rewrite /round_page inE; case: ifP => [/andP[le _]|_]; last by rewrite imset_f.
by apply/orP; right; apply: imset_f; rewrite inE.
Qed.

Lemma pool_size : #|pool| = k.+1.
Proof.
have inj1 : injective one by move=> i j /(congr1 layer); rewrite !layer_one.
have inj2 : injective two by move=> i j /(congr1 layer); rewrite !layer_two.
rewrite cardsU (_ : _ :&: _ = set0) ?cards0 ?subn0; last first.
  apply/setP=> q; rewrite !inE; apply/negbTE/negP=> /andP[/imsetP[i _ ->] /imsetP[j _ e]].
  have eq : i = j by rewrite -(layer_one i) e layer_two.
  by have := differ i; rewrite e eq eqxx.
rewrite !card_imset // card_ord /k -addnS; congr (_ + _).
have -> : [set j : 'I_l | j <= d] = [set widen_ord d_l i | i : 'I_d.+1].
  apply/setP=> j; rewrite inE; apply/idP/imsetP => [le|[i _ ->]]; last exact: (ltn_ord i).
  by exists (Ordinal (le : j < d.+1)) => //; apply/val_inj.
by rewrite card_imset ?card_ord // => a b /(congr1 val) /= /val_inj.
Qed.

(** Each page of the pool is asked for in any two rounds. *)
Lemma pool_asked q t : q \in pool -> exists2 u, t <= u < t + 2 * l & round_page u = q.
Proof.
have turn_ (j : 'I_l) : exists2 i, i < l & seat (t + i) = j.
  exists ((j + (l - t %% l)) %% l); first by rewrite ltn_mod.
  apply/val_inj => /=; rewrite modnDmr.
  have -> : t + (j + (l - t %% l)) = t %/ l * l + (j + l).
    by move: (divn_eq t l) (ltn_pmod t l0); move: (t %/ l * l) (t %% l); clear; lia.
  by rewrite modnMDl modnDr modn_small.
have later u : seat (u + l) = seat u /\ (u + l) %/ l = (u %/ l).+1.
  by split; [apply/val_inj; rewrite /= modnDr|rewrite addnC -{1}[l]mul1n divnMDl].
have either (j : 'I_l) b : j <= d -> exists2 u, t <= u < t + 2 * l & round_page u = if b then two j else one j.
  move=> le; have [i lt e] := turn_ j; have [e1 e2] := later (t + i).
  have at_ u : seat u = j -> round_page u = if odd (u %/ l) then two j else one j.
    by move=> eu; have /= eu' := congr1 val eu; rewrite /round_page eu' le /= eu.
  case: (eqVneq (odd ((t + i) %/ l)) b) => [<-|ne].
    by exists (t + i); [move: lt; clear; lia|apply: at_].
  exists (t + i + l); first by move: lt; clear; lia.
  by rewrite at_ ?e1 // e2 /=; move: ne; case: odd; case: b.
rewrite inE => /orP[/imsetP[j _ ->]|/imsetP[j]]; last by rewrite inE => le ->; apply: (either j true).
case: (leqP j d) => [le|gt]; first exact: (either j false).
have [i lt e] := turn_ j; exists (t + i); first by move: lt; clear; lia.
rewrite /round_page e (_ : (t + i) %% l <= d = false) //.
by have /= -> := congr1 val e; rewrite leqNgt gt.
Qed.

Lemma round_other u n : u < n -> n < u + 2 * l -> n %% l <= d -> round_page u != round_page n.
Proof.
move=> lt lt' le; apply/negP=> /eqP e; have /(congr1 val) /= same := congr1 layer e.
rewrite !layer_round /= in same; have /dvdnP[c ec] : l %| n - u by rewrite -eqn_mod_dvd ?same // ltnW.
have c1 : c = 1.
  case: c ec => [|[|c]] //; rewrite ?mul0n ?mulSn; first by move: lt; clear; lia.
  by move: lt lt'; move: (c * l); clear; lia.
have en : n = u + l by move: ec lt; rewrite c1 mul1n; clear; lia.
have e1 : seat n = seat u by apply/val_inj; rewrite /= same.
have e2 : n %/ l = (u %/ l).+1 by rewrite en addnC -{1}[l]mul1n divnMDl.
move: e; rewrite /round_page e1 e2 same le /=; case: odd => /=; [move/esym|]; by apply/eqP.
Qed.

Lemma rounds_fault n : 2 * l <= n -> n %% l <= d -> round_page n \notin lru k (rounds n).
Proof.
move=> ge le; set m := n - (2 * l - 1); set v := [seq round_page t | t <- iota m (2 * l - 1)].
have em : m + (2 * l - 1) = n by rewrite /m subnK //; move: ge; clear; lia.
have -> : rounds n = rounds m ++ v by rewrite /rounds -map_cat -iotaD em.
apply: forgotten.
  apply/mapP=> -[u]; rewrite mem_iota em => /andP[lo hi] /eqP; apply/negP; rewrite eq_sym.
  by apply: round_other => //; move: lo em l0; clear; lia.
have size_ : #|pool :\ round_page n| = k by have := cardsD1 (round_page n) pool; rewrite round_pool pool_size => -[].
rewrite -size_ -(card_uniqP (undup_uniq v)); apply: subset_leq_card; apply/subsetP=> q; rewrite in_setD1 mem_undup.
case/andP=> ne /(pool_asked m)[u /andP[lo hi] eq]; rewrite -eq; apply: map_f; rewrite mem_iota lo em /=.
have : u != n by apply: contraNneq ne => <-; rewrite eq.
by move: hi em l0; clear; lia.
Qed.

(** How many of the first [n] requests are to the first [d + 1] layers. *)
Definition special n := n %/ l * d.+1 + minn (n %% l) d.+1.

Lemma special_step n : special n.+1 = special n + (n %% l <= d).
Proof.
rewrite /special; case: (succ_div n l0) => [[-> -> _]|[-> -> end_]]; last first.
  by rewrite mulSn; case: (leqP (n %% l) d) => /=; move: end_ d_l; move: (n %/ l * d.+1) (n %% l); clear; lia.
by case: (leqP (n %% l) d) => /=; move: (n %/ l * d.+1) (n %% l); clear; lia.
Qed.

Lemma special_le n : special n <= n.
Proof.
elim: n => [|n ih]; first by rewrite /special div0n mod0n min0n.
by rewrite special_step -addn1 leq_add ?leq_b1.
Qed.

Lemma rounds_cost n : special n <= cost_of (lru k) (rounds n) + 2 * l.
Proof.
have k0 : 0 < k by rewrite /k; move: l0; clear; lia.
elim: n => [|n ih]; first by apply: leq_trans (special_le 0) _.
case: (leqP n.+1 (2 * l)) => [small|large].
  by apply: leq_trans (special_le _) _; apply: leq_trans small (leq_addl _ _).
rewrite special_step rounds_rcons (cost_of_rcons _ _ (lru_valid layer k0)).
suff : (n %% l <= d) <= loads (lru k (rounds n)) (lru k (rcons (rounds n) (round_page n))) by move: ih; clear; lia.
case: (leqP (n %% l) d) => //= le; rewrite card_gt0; apply/set0Pn; exists (round_page n).
rewrite inE rounds_fault //; have := @rounds_legal n.+1; rewrite rounds_rcons => leg.
by case: ((lru_valid layer k0).2 _ _ leg).
Qed.

(** The pages asked for in the first [d + 1] layers, one after the other. *)
Definition special_page i : P := round_page (i %/ d.+1 * l + i %% d.+1).

Lemma special_at i : (i %/ d.+1 * l + i %% d.+1) %% l = i %% d.+1 /\ (i %/ d.+1 * l + i %% d.+1) %/ l = i %/ d.+1.
Proof.
have lt : i %% d.+1 < l by apply: leq_trans d_l; rewrite ltn_mod.
by rewrite modnMDl (modn_small lt) divnMDl // (divn_small lt) addn0.
Qed.

Lemma special_pageE t : t %% l <= d -> round_page t = special_page (special t).
Proof.
move=> le; have e : special t = t %/ l * d.+1 + t %% l by rewrite /special (minn_idPl (leqW le)).
have lt : t %% l < d.+1 by [].
have e1 : special t %/ d.+1 = t %/ l by rewrite e divnMDl // (divn_small lt) addn0.
have e2 : special t %% d.+1 = t %% l by rewrite e modnMDl (modn_small lt).
by rewrite /special_page e1 e2 -divn_eq.
Qed.

Lemma special_differ a b : a < b -> b < a + 2 * d.+1 -> special_page a != special_page b.
Proof.
move=> lt lt'; apply/negP=> /eqP e; have [a1 a2] := special_at a; have [b1 b2] := special_at b.
have /(congr1 val) /= same := congr1 layer e; rewrite !layer_round /= a1 b1 in same.
have /dvdnP[c ec] : d.+1 %| b - a by rewrite -eqn_mod_dvd ?same // ltnW.
have c1 : c = 1.
  case: c ec => [|[|c]] //; rewrite ?mul0n ?mulSn; first by move: lt; clear; lia.
  by move: lt lt'; move: (c * d.+1); clear; lia.
have eb : b = a + d.+1 by move: ec lt; rewrite c1 mul1n; clear; lia.
have e2 : b %/ d.+1 = (a %/ d.+1).+1 by rewrite eb addnC -{1}[d.+1]mul1n divnMDl.
have le i : i %% d.+1 <= d by rewrite -ltnS ltn_mod.
have seats : seat (b %/ d.+1 * l + b %% d.+1) = seat (a %/ d.+1 * l + a %% d.+1).
  by apply/val_inj; rewrite /= a1 b1 same.
move: e; rewrite /special_page /round_page seats a1 b1 a2 b2 !le e2 /=.
by case: odd => /=; [move/esym|]; apply/eqP.
Qed.

(** Offline: the page that is missing is the special one asked for in [2d + 1] special requests, and so on. *)
Let period := 2 * d + 1.
Definition lap t := (special t.+1).-1 %/ period.
Definition missing_at t : P := special_page ((lap t).+1 * period).
Definition rounds_cache t : {set P} := pool :\ missing_at t.

Lemma special_pos t : 0 < special t.+1.
Proof.
elim: t => [|t ih]; last by rewrite special_step ltn_addr.
by rewrite special_step mod0n addn1.
Qed.

Lemma rounds_serves t : round_page t \in rounds_cache t /\ #|rounds_cache t| = k.
Proof.
have missing_pool : missing_at t \in pool by apply: round_pool.
split; last by have := cardsD1 (missing_at t) pool; rewrite missing_pool pool_size => -[].
rewrite in_setD1 round_pool andbT.
case: (leqP (t %% l) d) => [le|gt]; last first.
  apply/negP=> /eqP /(congr1 layer) /(congr1 val) /=; rewrite layer_round layer_round /= (special_at _).1 => e.
  by have := @ltn_pmod ((lap t).+1 * period) d.+1 isT; rewrite -e ltnS leqNgt gt.
rewrite special_pageE //; have e : (special t.+1).-1 = special t by rewrite special_step le addn1.
rewrite /missing_at /lap e; have := divn_eq (special t) period.
have period0 : 0 < period by rewrite /period addn1.
have := @ltn_pmod (special t) period period0; rewrite mulSn; move: (_ %/ period * period) (_ %% period) => x y lt {1}->.
by apply: special_differ; move: lt; rewrite /period; clear; lia.
Qed.

Lemma rounds_loads t : loads (rounds_cache t) (rounds_cache t.+1) + lap t <= lap t.+1.
Proof.
have period0 : 0 < period by rewrite /period addn1.
have mono : lap t <= lap t.+1.
  by apply: leq_div2r; have := special_pos t; have := special_step t.+1; move: (special _) (special _); clear; lia.
case: (eqVneq (lap t) (lap t.+1)) => [e|ne].
  by rewrite /rounds_cache /missing_at e /loads setDv cards0 add0n.
apply: (@leq_trans (1 + lap t)); last by move: mono ne; clear; lia.
rewrite leq_add2r -(cards1 (missing_at t)); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE.
by case: (q == missing_at t) => //=; case: (_ || _); rewrite ?andbF.
Qed.

Lemma rounds_offline n : schedule k (rounds n) [seq rounds_cache t | t <- iota 0 n] /\
  cost [seq rounds_cache t | t <- iota 0 n.+1] <= k + lap n.
Proof.
split.
  elim: n => // n ih; rewrite rounds_rcons map_rcons_iota schedule_rcons ih.
  by have [-> ->] := rounds_serves n; rewrite leqnn.
elim: n => [|n ih].
  by rewrite /cost /= /loads setD0 addn0 (rounds_serves 0).2 leq_addr.
rewrite map_rcons_iota cost_rcons {2}map_rcons_iota last_rcons; apply: leq_trans (leq_add ih (leqnn _)) _.
by rewrite -addnA leq_add2l addnC rounds_loads.
Qed.

Lemma rounds_ratio : ratio_at_least layer k (lru k) period 1.
Proof.
move=> p q b q0; rewrite muln1 => less comp; pose N := (q * (2 * l) + p * k + b).+1.
pose n := N * period * l; have period0 : 0 < period by rewrite /period addn1.
have n0 : 0 < n by rewrite /n !muln_gt0 period0 l0.
have [sched _] := rounds_offline n; have [_ off] := rounds_offline n.-1.
have := comp _ _ (@rounds_legal n) sched; rewrite (prednK n0) in off.
have on := rounds_cost n; have eS : special n = N * d.+1 * period.
  by rewrite /special /n mulnK // modnMl min0n addn0 mulnAC.
have eL : lap n.-1 <= N * d.+1.
  by rewrite /lap (prednK n0) eS; apply: leq_trans (leq_div2r _ (leq_pred _)) _; rewrite mulnK.
rewrite {}eS in on; move: (cost _) (cost_of _ _) off on => opt_ alg off on le.
have : p * opt_ <= p * (k + N * d.+1) by rewrite leq_mul2l (leq_trans off) ?leq_add2l ?orbT.
have : q * (N * d.+1 * period) <= q * (alg + 2 * l) by rewrite leq_mul2l on orbT.
have : N * d.+1 * p.+1 <= N * d.+1 * (period * q) by rewrite leq_mul2l less orbT.
have : N <= N * d.+1 by rewrite leq_pmulr.
have -> : q * (N * d.+1 * period) = N * d.+1 * (period * q) by rewrite mulnC -mulnA.
have -> : p * (k + N * d.+1) = p * k + N * d.+1 * p by rewrite mulnDr [p * (N * _)]mulnC.
have : N = (q * (2 * l) + p * k + b).+1 by [].
rewrite mulnS mulnDr; move: (N * d.+1 * (period * q)) (N * d.+1 * p) (N * d.+1) => x y z.
by move: le; clearbody N; move: (q * (2 * l)) (p * k) (q * alg) (p * opt_); clear; lia.
Qed.

End Rounds.

Theorem lru_doubled_tight (P : finType) l (layer : P -> 'I_l) k : l < k -> k < 2 * l ->
  (forall j, exists p q, [/\ layer p = j, layer q = j & p != q]) ->
  competitive layer k (lru k) (2 * (k - l) + 1) 1 0 /\ ratio_at_least layer k (lru k) (2 * (k - l) + 1) 1.
Proof.
move=> lk kl two_each; have l0 : 0 < l by move: kl lk; clear; lia.
have k0 : 0 < k := leq_trans l0 (ltnW lk); split.
  by apply: doubled => //; [exact: lru_valid|exact: lru_keeps (ltnW lk)|move=> s _; apply: lru_sure].
have [one [two [layer_one layer_two differ]]] := choose_two two_each.
have d_l : k - l < l by move: kl lk; clear; lia.
have := rounds_ratio l0 d_l layer_one layer_two differ; by rewrite subnKC // ltnW.
Qed.
