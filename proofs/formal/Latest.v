(** * Keeping the latest page of each layer

    Algorithms that load only what is requested and keep the pages of the last [l] requests, one for each layer: zrc
    and LRU, if [l <= k]. What such an algorithm pays for at most [l] requests is at most what OPT pays for them and the
    [l - 1] requests before, and [k - l] ([window_cost]). For [k = l] there is no choice left, and the ratio is 2 - 1/l
    (Theorem 4 of docs/zrc.md). *)

From Formal Require Export Zrc.

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
by rewrite -subnDA; move: ih; move: (last_sum _ _ _) (last_sum _ _ _) (last_sum _ _ _) (last_sum _ _ _) (F _) (G _) => a b c d; lia.
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
rewrite -takeD subnn addn0 [size (take n s)]size_takel // take_take ?leq_subr //; apply; first exact: (legal_take (i := n + h)).
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
have first j : exists p, [exists q, [&& layer p == j, layer q == j & p != q]].
  by have [p [q [/eqP lp /eqP lq pq]]] := two_each j; exists p; apply/existsP; exists q; rewrite lp lq.
pose one j := xchoose (first j); have oneP j := existsP (xchooseP (first j)).
pose two j := xchoose (oneP j); have twoP j := xchooseP (oneP j).
by apply: (@alternation_ratio one two) => // j; case/and3P: (twoP j) => [/eqP ? /eqP ?].
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
