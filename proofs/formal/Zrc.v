(** * The policy zrc: k - l + 1 for k >= 2l - 1

    Theorem 1 of docs/zrc.md, with additive constant 0 and for every tie-break: [zrc A] says that the algorithm [A] never
    evicts but as the rule of zrc allows, and nothing about which of the pages that the rule allows it evicts. For other
    [k >= l] the same proof gives [max (k - l + 1) (k/2 + 1)]. With [Lower.L2] the best deterministic competitive ratio is [k - l + 1] whenever [2l - 1 <= k], [k] is smaller than the
    number of pages and no layer is empty. *)

From Formal Require Export OptimalCaches.
From Formal Require Import Lower.

Section Requests.

(** What the layers of the latest requests are. *)

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (s : seq P) (p : P).
Hypotheses (l0 : 0 < l) (leg : legal layer (rcons s p)).

Lemma layer_ago i : i < size s -> layer (nth p (rev s) i) = (size s - i.+1) %% l :> nat.
Proof.
move=> lt; rewrite nth_rev //; have lt' : size s - i.+1 < size s by move: lt; clear; lia.
have [leg' _] := (legal_rcons layer s p).1 leg.
have := leg' (take (size s - i.+1) s) (nth p s (size s - i.+1)) (drop (size s - i.+1).+1 s).
by rewrite -drop_nth // cat_take_drop size_takel ?leq_subr // => /(_ erefl).
Qed.

Lemma layer_now : layer p = size s %% l :> nat.
Proof. by case: ((legal_rcons layer s p).1 leg). Qed.

Lemma other_layer q : q \in take l.-1 (rev s) -> layer q != layer p.
Proof.
case/(nthP p)=> i; rewrite size_take size_rev => lt <-.
have lt_l : i < l.-1 by move: lt; case: ifP => // /negbT; clear; lia.
have lt_s : i < size s by case: ifP lt => [a b|_ //]; apply: ltn_trans b a.
rewrite nth_take //; apply/eqP=> /(congr1 val) /=; rewrite layer_ago // layer_now => /esym/eqP.
rewrite eqn_mod_dvd ?leq_subr // subKn // => /dvdn_leq => /(_ isT).
by move: lt_l; rewrite ltnNge -ltnS prednK // => /negbTE ->.
Qed.

Lemma same_layer : l <= size s -> layer (nth p (rev s) l.-1) = layer p.
Proof.
move=> le; apply/val_inj; rewrite /= layer_ago ?prednK // layer_now.
by apply/eqP; rewrite eq_sym eqn_mod_dvd ?leq_subr // subKn.
Qed.

End Requests.

Section Zrc.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat).

(** The cache [C] is full and a page of layer [c] has been loaded: who may be evicted? A dead page; if there is none, an
    open one of layer [c]; if there is none either, any open one. *)
Definition evicts (F : {set {set P}}) (c : 'I_l) (C : {set P}) (v : P) : bool :=
  (v \in C) && (dead F v ||
    [&& [forall u in C, ~~ dead F u], open F v &
        (layer v == c) || [forall u in C, (layer u == c) ==> ~~ open F u]]).

Definition zrc (A : algorithm P) : Prop :=
  A [::] = set0 /\
  forall s p, legal layer (rcons s p) ->
    if p \in A s then A (rcons s p) = A s
    else if #|A s| < k then A (rcons s p) = p |: A s
    else exists2 v, evicts (fam k (rcons s p)) (layer p) (A s) v & A (rcons s p) = p |: (A s :\ v).

Hypotheses (l0 : 0 < l) (lk : l <= k).
Let k0 : 0 < k := leq_trans l0 lk.

Variable A : algorithm P.
Hypothesis zA : zrc A.

Lemma zrc_sub s : legal layer s -> A s \subset [set q in s] /\ #|A s| <= k.
Proof.
elim/last_ind: s => [|s p ih] leg; first by rewrite zA.1 sub0set cards0.
have [leg' _] := (legal_rcons layer s p).1 leg; have [sub size_A] := ih leg'.
have sub' : A s \subset [set q in rcons s p].
  by apply: subset_trans sub _; apply/subsetP=> q; rewrite !inE mem_rcons inE orbC => ->.
have p_in : p \in [set q in rcons s p] by rewrite inE mem_rcons mem_head.
have := zA.2 s p leg; case: ifP => [_ -> //|/negbT miss].
case: ifP => [room ->|_ [v /andP[vA _] ->]]; rewrite subUset sub1set p_in /=.
  by rewrite sub' cardsU1 miss.
split; first by apply: subset_trans sub'; apply: subsetDl.
by rewrite size_swap.
Qed.

Lemma zrc_valid : valid layer k A.
Proof.
split=> [|s p leg]; first exact: zA.1.
split; last by case: (zrc_sub leg).
have := zA.2 s p leg; case: ifP => [hit -> //|_].
by case: ifP => [_ ->|_ [v _ ->]]; rewrite !inE eqxx.
Qed.

(** ** One request *)

Section Step.

Variables (s : seq P) (p : P).
Hypothesis leg : legal layer (rcons s p).

Let F' := fam k (rcons s p).
Let gone := A s :\: A (rcons s p).

Lemma loads_step : loads (A s) (A (rcons s p)) <= (p \notin A s).
Proof.
rewrite /loads; have := zA.2 s p leg; case: ifP => [_ ->|/negbT miss]; first by rewrite setDv cards0.
move=> step; rewrite /= -(cards1 p); apply: subset_leq_card; apply/subsetP=> q.
by case: ifP step => [_ ->|_ [v _ ->]]; rewrite !inE; case: (q == p) => //=; case: (q \in A s); rewrite ?andbF.
Qed.

Lemma gone_evicts v : v \in gone -> evicts F' (layer p) (A s) v /\ k <= #|A s|.
Proof.
rewrite inE => /andP[out vA]; have := zA.2 s p leg.
case: ifP => [_ eq|_]; first by rewrite eq vA in out.
case: ifP => [_ eq|/negbT full [u ev eq]]; first by rewrite eq !inE vA orbT in out.
move: out; rewrite eq !inE vA andbT negb_or negbK => /andP[_ /eqP->]; by rewrite leqNgt.
Qed.

Lemma gone_size : #|gone| <= (p \notin A s).
Proof.
have := zA.2 s p leg; rewrite /gone; case: ifP => [_ ->|/negbT miss]; first by rewrite setDv cards0.
case: ifP => [_ ->|_ [v _ ->]].
  by rewrite (_ : _ :\: _ = set0) ?cards0 //; apply/setP=> q; rewrite !inE; case: (q \in A s); rewrite ?orbT ?andbF.
rewrite /= -(cards1 v); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE.
by case: (q == v) => //=; case: (q \in A s); rewrite ?orbT ?andbF.
Qed.

Lemma gone_not_sure v : v \in gone -> ~~ sure F' v.
Proof.
case/gone_evicts=> /andP[_ /orP[dv|/and3P[_ /andP[]//]]] _.
have [B BF] := fam_some (matroid_all k0 (rcons s p)).
by apply/not_sureP; exists B => //; apply: (deadP _ _ dv).
Qed.

Lemma since_cons q : q \in since k (rcons s p) -> q = p \/ q \in since k s.
Proof.
rewrite since_rcons; case: ifP => _; rewrite !inE; first by move/eqP; left.
by case/orP=> [/eqP|]; [left|right].
Qed.

Lemma live_before q : q != p -> ~~ dead F' q -> ~~ dead (fam k s) q.
Proof.
move=> qp /not_deadP[C]; have m := matroid_all k0 s; rewrite /F'.
case: (kinds p m) => [live|fp|[dp [B BF lt]]].
- by rewrite reveal_member // => /andP[CF _] qC; apply/not_deadP; exists C.
- case/(full_member _ m fp)=> B [x [BF _ ->]]; rewrite !inE (negbTE qp) /= => /andP[_ qB].
  by apply/not_deadP; exists B.
have [-> _] := room_member k0 m dp BF lt; rewrite inE => /eqP->; rewrite !inE (negbTE qp) /= => qB.
by apply/not_deadP; exists B.
Qed.

End Step.

(** The requests since the last increment are the latest ones. *)
Lemma since_prefix (s : seq P) : since k s = take (size (since k s)) (rev s).
Proof.
elim/last_ind: s => // s p ih; rewrite since_rcons rev_rcons; case: ifP => _ /=; first by rewrite take0.
by rewrite -ih.
Qed.

Lemma since_latest n (s : seq P) q : size (since k s) <= n -> q \in since k s -> q \in take n (rev s).
Proof. by move=> le; rewrite since_prefix; apply: mem_take_le. Qed.

Lemma since_all n (s : seq P) q : n <= size (since k s) -> q \in take n (rev s) -> q \in since k s.
Proof. by move=> le; rewrite [since k s]since_prefix; apply: mem_take_le. Qed.

Lemma since_uniq (s : seq P) : legal layer s -> size (since k s) <= l -> uniq (since k s).
Proof.
elim/last_ind: s => // s p ih leg; rewrite since_rcons; case: ifP => // _ /= lt.
have [leg' _] := (legal_rcons layer s p).1 leg; rewrite ih // 1?ltnW // andbT.
have le : size (since k s) <= l.-1 by rewrite -ltnS prednK.
by apply/negP=> /(since_latest le)/(other_layer l0 leg); rewrite eqxx.
Qed.

Lemma latest_recent n (s : seq P) q : q \in take n (rev s) -> q \in take n (recent s).
Proof.
elim/last_ind: s n => // s p ih n; rewrite rev_rcons recent_rcons; case: n => //= n.
rewrite !inE; case: (eqVneq q p) => //= qp /ih.
elim: (recent s) n {ih} => // r R ih [|n] //=; rewrite inE; case: (eqVneq r p) => [->|_] /=.
  by rewrite (negbTE qp) /= => qR; apply: (@mem_take_le _ n) => //; apply: ih.
by rewrite inE => /orP[->//|/ih ->]; rewrite orbT.
Qed.

(** Sure pages and the latest request of every layer are cached (Lemmas 1 and 2 of docs/zrc.md). *)

Definition cached_well s := {subset since k s <= A s} /\ {subset take l (rev s) <= A s}.

Lemma early_victim s p v : legal layer (rcons s p) -> cached_well s -> size (since k (rcons s p)) <= l ->
  v \in A s :\: A (rcons s p) -> dead (fam k (rcons s p)) v || (layer v == layer p).
Proof.
move=> leg [_ latest] short vgone; have [ev full_] := gone_evicts leg vgone.
have [leg' _] := (legal_rcons layer s p).1 leg; have [sub _] := zrc_sub leg'.
have miss : p \notin A s.
  by have := gone_size leg; case: (p \in A s) => //=; rewrite leqn0 cards_eq0 => /eqP e; rewrite e inE in vgone.
have long : l <= size s.
  apply: leq_trans lk (leq_trans full_ (leq_trans (subset_leq_card sub) _)); rewrite cardsE; exact: card_size.
set y := nth p (rev s) l.-1; have layer_y : layer y = layer p by apply: same_layer.
have yA : y \in A s.
  have lt : l.-1 < l by rewrite prednK.
  by apply: latest; rewrite /y -(nth_take p lt) mem_nth // size_takel // size_rev.
have y_not_sure : ~~ sure (fam k (rcons s p)) y.
  have yp : y != p by apply: contraNneq miss => <-.
  rewrite sure_since //; move: short; rewrite since_rcons; case: ifP => _ /= short; rewrite inE (negbTE yp) //=.
  have le : size (since k s) <= l.-1 by rewrite -ltnS prednK.
  by apply/negP=> /(since_latest le)/(other_layer l0 leg); rewrite layer_y eqxx.
case/andP: ev => _ /orP[->//|/and3P[/forall_inP alive _ /orP[->|/forall_inP none]]]; first by rewrite orbT.
by have := none y yA; rewrite layer_y eqxx /open (alive y yA) y_not_sure.
Qed.

Lemma cached_well_all s : legal layer s -> cached_well s.
Proof.
elim/last_ind: s => [|s p ih] leg; first by [].
have [leg' _] := (legal_rcons layer s p).1 leg; have well := ih leg'; have [sure_ latest] := well.
have pA : p \in A (rcons s p) by case: (zrc_valid.2 s p leg).
have kept q : q \in A s -> q \notin A (rcons s p) -> q \in A s :\: A (rcons s p) by rewrite inE => -> ->.
split=> q.
  move=> qs; apply: contraT => out.
  have qA : q \in A s by case: (since_cons qs) => [e|/sure_//]; rewrite e pA in out.
  by have := gone_not_sure leg (kept q qA out); rewrite sure_since // qs.
rewrite rev_rcons -(prednK l0) /= inE => /orP[/eqP->//|ql].
apply: contraT => out.
have qA : q \in A s by apply: latest; apply: mem_take_le ql; apply: leq_pred.
have qgone := kept q qA out; have layers := other_layer l0 leg ql.
have alive : ~~ dead (fam k (rcons s p)) q.
  apply: recent_alive => //; apply: mem_take_le lk _; apply: latest_recent.
  by rewrite rev_rcons -(prednK l0) /= inE ql orbT.
case: (leqP (size (since k (rcons s p))) l) => [short|long].
  by have := early_victim leg well short qgone; rewrite (negbTE alive) (negbTE layers).
have := gone_not_sure leg qgone; rewrite sure_since //; case/negP.
apply: (since_all (ltnW long)); by rewrite rev_rcons -(prednK l0) /= inE ql orbT.
Qed.

(** ** Accounting

    [missing s]: open pages that are not cached. [due s] is what the theorem grants before the phase under way, and
    [within s] what holds inside the phase: something for its first [l] requests, something else from then on. *)

Definition missing (s : seq P) : {set P} := [set q | open (fam k s) q && (q \notin A s)].

Section Accounting.

(** What a phase is granted: [c] faults. *)
Variable c : nat.
Hypotheses (long_grant : k - l < c) (short_grant : forall b, b < l -> minn b (k - b) < c).

Definition due (s : seq P) := early k s + c * (increments k s).-1.

Definition unserved (s : seq P) q := layer q \notin [seq layer r | r <- since k s].

Definition within s :=
  (size (since k s) <= l ->
    cost_of A s + rank k s (missing s) <= due s + size (since k s) + 1 /\
    exists2 Q : {set P}, cost_of A s + rank k s Q <= due s + 1 &
      forall q, q \in missing s -> unserved s q -> q \in Q) /\
  (l <= size (since k s) -> cost_of A s + l <= due s + 1 + #|[set q in since k s]|).

Definition account s :=
  if increments k s is 0 then [set q in since k s] = [set q in s] /\ cost_of A s <= early k s else within s.

Lemma missing_rank s : legal layer s -> rank k s (missing s) + #|[set q in since k s]| <= k.
Proof.
move=> leg; rewrite addnC -leq_subRL; last first.
  have [B BF] := fam_some (matroid_all k0 s); apply: leq_trans (size_le (matroid_all k0 s) BF).
  apply: subset_leq_card; apply/subsetP=> q; rewrite inE -sure_since // => /sureP; exact.
apply/rankP=> B BF; have sizeB := size_le (matroid_all k0 s) BF.
have sub : #|missing s :&: B :|: [set q in since k s]| <= #|B|.
  apply: subset_leq_card; rewrite subUset subsetIr; apply/subsetP=> q; rewrite inE -sure_since // => /sureP; exact.
have dis : [disjoint missing s :&: B & [set q in since k s]].
  rewrite -setI_eq0; apply/eqP/setP=> q; rewrite !inE -sure_since // /open.
  by case: (sure _ q); rewrite ?andbF.
by move: sub; rewrite cardsU (disjoint_setI0 dis) cards0 subn0; move: sizeB; clear; lia.
Qed.

Lemma since_card s : legal layer s -> size (since k s) <= l -> #|[set q in since k s]| = size (since k s).
Proof. by move=> leg short; rewrite cardsE; apply/card_uniqP; apply: since_uniq. Qed.

(** At the end of a phase the theorem holds with the rank of the missing pages to spare. *)
Lemma account_end s : legal layer s -> account s ->
  cost_of A s + rank k s (missing s) <= early k s + c * increments k s.
Proof.
move=> leg; rewrite /account; case e : (increments k s) => [|n].
  case=> all le; rewrite muln0 addn0 (_ : rank _ _ _ = 0) ?addn0 //.
  apply/eqP; rewrite -leqn0; apply/rankP=> B BF; rewrite leqn0 cards_eq0; apply/eqP/setP=> q; rewrite !inE.
  case: (boolP (q \in B)) => [qB|]; rewrite ?andbF // andbT.
  have : q \in [set q in since k s] by rewrite all inE (fam_sub (matroid_all k0 s) BF qB).
  by rewrite inE /open sure_since // => ->; rewrite andbF.
rewrite /within /due e /= mulnS; case=> first later.
have := missing_rank leg; case: (leqP l (size (since k s))) => [ge|lt].
  by move: (later ge) lk long_grant; move: (_ * n) (rank _ _ _) (#|_|) (cost_of _ _); clear; lia.
have [le1 [Q le2 _]] := first (ltnW lt); rewrite (since_card leg (ltnW lt)).
move: le1 (leq_trans (leq_add (leqnn _) (leq0n _)) le2) (short_grant lt); rewrite addn0.
by move: (_ * n) (rank _ _ _) (cost_of _ _) (size _); clear; lia.
Qed.

Lemma late (s : seq P) : 0 < increments k s -> k <= size (undup s).
Proof.
elim/last_ind: s => // s p ih; rewrite increments_rcons size_undup_rcons.
case: (boolP (full k s p)) => [/andP[_ fl] _|_]; last by rewrite addn0 => /ih le; apply: leq_trans le (leq_addr _ _).
have m := matroid_all k0 s; have [B BF] := fam_some m; move: fl; rewrite (filledE m BF) (fam_size m BF).
by move/eqP; clear; lia.
Qed.

Lemma missing_step s p : legal layer (rcons s p) ->
  missing (rcons s p) \subset (A s :\: A (rcons s p)) :|: (missing s :\ p).
Proof.
move=> leg; have [leg' _] := (legal_rcons layer s p).1 leg; have [sure_ _] := cached_well_all leg'.
have pA : p \in A (rcons s p) by case: (zrc_valid.2 s p leg).
apply/subsetP=> q; rewrite !inE => /andP[/andP[live not_sure] out]; rewrite out /=.
have qp : q != p by apply: contraNneq out => ->.
rewrite qp /= /open (live_before qp live) /=; case: (boolP (q \in A s)) => //= qA; rewrite andbT.
by rewrite sure_since //; apply: contra qA => /sure_.
Qed.

Lemma add_gone s p D : legal layer (rcons s p) ->
  rank k (rcons s p) ((A s :\: A (rcons s p)) :|: D) <= rank k (rcons s p) D + (p \notin A s).
Proof.
move=> leg; apply: (@leq_trans (rank k (rcons s p) D + #|A s :\: A (rcons s p)|)); last first.
  by rewrite leq_add2l gone_size.
apply/rankP=> B BF; apply: leq_trans (leq_add (rank_ge D BF) (leqnn _)).
rewrite addnC; apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card.
by rewrite setIUl; apply: setSU; apply: subsetIl.
Qed.

Lemma unserved_kept s p q : legal layer (rcons s p) -> size (since k (rcons s p)) <= l ->
  q \in missing (rcons s p) -> layer q != layer p -> q \in missing s :\ p.
Proof.
move=> leg short qM ne; have [leg' _] := (legal_rcons layer s p).1 leg.
have := subsetP (missing_step leg) q qM; rewrite inE => /orP[qgone|//].
have := early_victim leg (cached_well_all leg') short qgone; rewrite (negbTE ne) orbF.
by move: qM; rewrite inE /open => /andP[/andP[/negbTE->]].
Qed.

Lemma account_step s p : legal layer (rcons s p) -> account s -> account (rcons s p).
Proof.
move=> leg acc; have [leg' _] := (legal_rcons layer s p).1 leg.
have [sure_ latest] := cached_well_all leg'; have m := matroid_all k0 s.
have cost_ : cost_of A (rcons s p) <= cost_of A s + (p \notin A s).
  by rewrite (cost_of_rcons _ _ zrc_valid) leq_add2l; apply: loads_step.
have once := leq_b1 (p \notin A s).
have M_rank : rank k (rcons s p) (missing (rcons s p)) <= rank k (rcons s p) (missing s :\ p) + (p \notin A s).
  by apply: leq_trans (rank_sub _ _ (missing_step leg)) (add_gone _ leg).
have no_p : p \notin missing s :\ p by rewrite !inE eqxx.
have M_step := leq_trans (rank_step k0 s no_p) (rank_sub k s (subsetDl (missing s) [set p])).
case: (boolP (full k s p)) => [fp|not_full].
  have := account_end leg' acc; have [dp _] := andP fp => end_.
  have eW : since k (rcons s p) = [:: p] by rewrite since_rcons fp.
  have eJ : increments k (rcons s p) = (increments k s).+1 by rewrite increments_rcons fp addn1.
  have eE : early k (rcons s p) = early k s.
    by rewrite early_rcons dp; move: fp => /andP[_ ->]; rewrite addn0.
  rewrite /account eJ /within /due eJ eW eE /=; split=> [short|l1].
    split; last exists (missing s :\ p).
    - by move: end_ cost_ once M_rank M_step; move: (_ * _) (rank _ _ _) (rank _ _ _) (rank _ _ _); clear; lia.
    - by move: end_ cost_ once M_step; move: (_ * _) (rank _ _ _) (rank _ _ _); clear; lia.
    move=> q qM; rewrite /unserved eW /= inE => ne.
    by apply: unserved_kept; rewrite ?eW.
  have -> : #|[set q in [:: p]]| = 1 by rewrite cardsE; apply/card_uniqP.
  by move: end_ cost_ once l1; move: (_ * _) (rank _ _ _) (cost_of _ _) (cost_of _ _); clear; lia.
have eJ : increments k (rcons s p) = increments k s by rewrite increments_rcons (negbTE not_full) addn0.
have eW : since k (rcons s p) = p :: since k s by rewrite since_rcons (negbTE not_full).
move: acc; rewrite /account eJ; case e : (increments k s) => [|n].
  case=> all le; split.
    apply/setP=> q; rewrite eW !inE mem_rcons inE; congr (_ || _).
    by have := congr1 (fun D : {set P} => q \in D) all; rewrite !inE.
  apply: leq_trans cost_ _; rewrite early_rcons; apply: leq_add => //.
  case: (boolP (p \in A s)) => //= pA; rewrite (_ : dead _ _ && _ = true) //.
  have dp : dead (fam k s) p.
    apply/deadP=> B BF; apply: contra pA => pB; apply: sure_.
    have : p \in [set q in s] by rewrite inE (fam_sub m BF pB).
    by rewrite -all inE.
  by move: not_full; rewrite /full dp.
have live : ~~ dead (fam k s) p.
  have fl : filled k (fam k s).
    have [B BF] := fam_some m; rewrite (filledE m BF) (fam_size m BF).
    by have := @late s; rewrite e => /(_ isT) le; apply/eqP/minn_idPl.
  by move: not_full; rewrite /full fl andbT.
have eE : early k (rcons s p) = early k s by rewrite early_rcons (negbTE live) addn0.
have fault : p \notin A s -> p \in missing s.
  by move=> pA; rewrite inE pA /open live sure_since // andbT /=; apply: contra pA => /sure_.
have eD : due (rcons s p) = due s by rewrite /due eJ eE.
case=> first later.
have Q_step : size (since k s) < l -> exists2 Q : {set P}, cost_of A (rcons s p) + rank k (rcons s p) Q <= due s + 1 &
    forall q, q \in missing (rcons s p) -> unserved (rcons s p) q -> q \in Q.
  move=> lt; have [_ [Q leQ inQ]] := first (ltnW lt).
  have short : size (since k (rcons s p)) <= l by rewrite eW.
  exists (Q :\ p); last first.
    move=> q qM; rewrite /unserved eW /= inE negb_or => /andP[ne un].
    have := unserved_kept leg short qM ne; rewrite inE => /andP[qp qM'].
    by rewrite !inE (inQ q qM' un) andbT; move: qp; rewrite inE.
  case: (boolP (p \in A s)) => pA.
    have out : p \notin Q :\ p by rewrite !inE eqxx.
    have := leq_trans (rank_step k0 s out) (rank_sub k s (subsetDl Q [set p])).
    by move: leQ cost_; rewrite pA /= addn0; move: (rank _ _ _) (rank _ _ _) (due _); clear; lia.
  have pQ : p \in Q.
    apply: inQ; first exact: fault.
    have le : size (since k s) <= l.-1 by rewrite -ltnS prednK.
    apply/negP=> /mapP[r rs eq]; have := other_layer l0 leg (since_latest le rs); by rewrite eq eqxx.
  have := rank_reveal k0 live pQ; move: leQ cost_ once.
  by move: (rank _ _ _) (rank _ _ _) (due _) (nat_of_bool _); clear; lia.
split=> [short|ge].
  have lt : size (since k s) < l by move: short; rewrite eW.
  split; last by rewrite eD; exact: Q_step.
  have [le1 _] := first (ltnW lt); rewrite eD eW /=.
  case: (boolP (p \in A s)) => pA.
    move: le1 cost_ M_rank M_step; rewrite pA /= !addn0.
    by move: (due _) (rank _ _ _) (rank _ _ _) (rank _ _ _); clear; lia.
  have := rank_reveal k0 live (fault pA); move: le1 cost_ M_rank; rewrite pA /=.
  by move: (due _) (rank _ _ _) (rank _ _ _) (rank _ _ _); clear; lia.
rewrite eD; case: (leqP l (size (since k s))) => [ge'|lt].
  have := later ge'; rewrite eW set_cons cardsU1 inE.
  have : (p \notin A s) <= (p \notin since k s).
    by case: (boolP (p \in since k s)) => [/sure_ ->|_]; rewrite ?leq_b1.
  by move: cost_; move: (due _) (nat_of_bool _) (nat_of_bool _) (#|_|); clear; lia.
have [Q leQ _] := Q_step lt.
have size_ : size (since k (rcons s p)) = l by apply/eqP; rewrite eqn_leq ge andbT eW.
rewrite since_card ?size_ //; move: leQ; move: (rank _ _ _); clear; lia.
Qed.

Lemma zrc_granted : competitive layer k A c 1 0.
Proof.
move=> s cs leg sched; rewrite mul1n addn0.
have acc : account s.
  elim/last_ind: s leg {cs sched} => [|s p ih] leg; first by split.
  by apply: account_step => //; apply: ih; case/legal_rcons: leg.
have := account_end leg acc; have [B _ low] := fam_lower k0 sched => end_.
apply: leq_trans (leq_trans (leq_addr _ _) end_) _.
have : c * (early k s + increments k s) <= c * cost cs.
  by rewrite leq_mul2l (leq_trans (leq_addr _ _) low) orbT.
by apply: leq_trans; rewrite mulnDr leq_add2r leq_pmull // (leq_trans _ long_grant).
Qed.

End Accounting.

(** For every [k >= l]. *)
Theorem zrc_upper_half : competitive layer k A (maxn (k - l + 1) (k %/ 2 + 1)) 1 0.
Proof.
apply: zrc_granted => [|b _]; first by clear; lia.
have := divn_eq k 2; have := @ltn_pmod k 2 isT; move: (k %/ 2) (k %% 2); clear; lia.
Qed.

Theorem zrc_upper : 2 * l <= k + 1 -> competitive layer k A (k - l + 1) 1 0.
Proof. by move=> long; apply: zrc_granted => [|b]; move: long lk; clear; lia. Qed.

End Zrc.

(** ** There is such an algorithm *)

Section Existence.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat).
Hypothesis k0 : 0 < k.

(** There is always somebody to evict: besides [p], at most [k - 1] pages are sure. *)
Lemma victim_exists (s : seq P) p (C : {set P}) : p \notin C -> k <= #|C| ->
  exists v, evicts layer (fam k (rcons s p)) (layer p) C v.
Proof.
move=> pC size_C; set F := fam k (rcons s p).
have m := matroid_all k0 (rcons s p); have [B BF] := fam_some m.
have pB : p \in B.
  by apply: (@sureP _ F p) BF; rewrite sure_since // since_rcons; case: ifP => _; rewrite inE eqxx.
have [v vC v_not_sure] : exists2 v, v \in C & ~~ sure F v.
  apply/exists_inP; apply: contraT => /exists_inPn all.
  have : p |: C \subset B.
    rewrite subUset sub1set pB; apply/subsetP=> v vC; have := all v vC; rewrite negbK => /sureP; exact.
  move/subset_leq_card; rewrite cardsU1 pC /=; move: (size_le m BF) size_C; clear; lia.
case: (boolP [exists u in C, dead F u]) => [/exists_inP[u uC du]|/exists_inPn alive].
  by exists u; rewrite /evicts uC du.
have all_alive : [forall u in C, ~~ dead F u] by apply/forall_inP.
have v_open : open F v by rewrite /open alive.
case: (boolP [exists u in C, (layer u == layer p) && open F u]) => [/exists_inP[u uC /andP[lu ou]]|/exists_inPn none].
  by exists u; rewrite /evicts uC all_alive ou lu orbT.
exists v; rewrite /evicts vC all_alive v_open /=; apply/orP; right; apply/orP; right.
by apply/forall_inP=> u uC; apply/implyP=> lu; have := none u uC; rewrite lu.
Qed.

Fixpoint latest_first (r : seq P) : {set P} :=
  if r is p :: r' then
    let C := latest_first r' in
    if p \in C then C else if #|C| < k then p |: C
    else if [pick v | evicts layer (fam k (rcons (rev r') p)) (layer p) C v] is Some v then p |: (C :\ v) else C
  else set0.

Theorem zrc_exists : exists A : algorithm P, zrc layer k A.
Proof.
exists (fun s => latest_first (rev s)); split=> // s p _; rewrite rev_rcons /= revK.
set C := latest_first (rev s); case: (boolP (p \in C)) => // pC; case: ltnP => // size_C.
case: pickP => [v ev|none]; first by exists v.
by have [v ev] := victim_exists s pC size_C; rewrite none in ev.
Qed.

End Existence.

(** The best competitive ratio: zrc has it, and nobody has less. *)
Corollary best_ratio (P : finType) l (layer : P -> 'I_l) k :
  (forall j, exists p, layer p = j) -> 0 < l -> 2 * l <= k + 1 -> k < #|P| ->
  (exists2 A, valid layer k A & competitive layer k A (k - l + 1) 1 0) /\
  (forall A, valid layer k A -> ratio_at_least layer k A (k - l + 1) 1).
Proof.
move=> no_empty l0 long few; have lk : l <= k by move: l0 long; clear; lia.
split=> [|A]; last exact: L2.
have [A zA] := @zrc_exists P l layer k (leq_trans l0 lk).
by exists A; [exact: zrc_valid zA|exact: zrc_upper].
Qed.
