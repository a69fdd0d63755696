(** * Farthest-in-future is optimal

    On a fault with a full cache, evict the page whose next request is farthest in the future (pages that are not
    requested again are the farthest; ties are arbitrary). No schedule, lazy or not, costs less. *)

From Formal Require Export Model.

Section Farthest.

Variables (P : finType) (k : nat).

Implicit Types (C D : {set P}) (s future : seq P) (caches : seq {set P}).

(** [farthest C s caches]: starting from the cache [C], the rule serves [s] with these caches. *)
Fixpoint farthest C s caches : Prop :=
  match s, caches with
  | [::], [::] => True
  | p :: future, C' :: rest =>
      (if p \in C then C' = C
       else if #|C| < k then C' = p |: C
       else exists2 v, v \in C & (forall u, u \in C -> index u future <= index v future) /\ C' = p |: (C :\ v))
      /\ farthest C' future rest
  | _, _ => False
  end.

#[local] Arguments schedule {P} k s caches : simpl never.

Lemma schedule_cons p s C caches :
  schedule k (p :: s) (C :: caches) = (p \in C) && (#|C| <= k) && schedule k s caches.
Proof. by []. Qed.

Lemma farthest_schedule C s caches : #|C| <= k -> farthest C s caches -> schedule k s caches.
Proof.
elim: s C caches => [|p f ih] C [|C' rest] //= size_C [rule /ih sched]; rewrite schedule_cons.
suff [pC' size_C'] : p \in C' /\ #|C'| <= k by rewrite pC' size_C' sched.
move: rule; case: (boolP (p \in C)) => [pC -> //|pC]; case: ltnP => [lt ->|_ [v vC [_ ->]]].
  by rewrite !inE eqxx cardsU1 pC.
rewrite !inE eqxx cardsU1 !inE (negbTE pC) andbF /=; split=> //.
by move: size_C; rewrite (cardsD1 v C) vC.
Qed.

Lemma farthest_exists C s : 0 < k -> exists caches, farthest C s caches.
Proof.
move=> k0; elim: s C => [|p f ih] C; first by exists [::].
case: (boolP (p \in C)) => pC.
  by have [rest ok] := ih C; exists (C :: rest); rewrite /= pC.
case: (ltnP #|C| k) => size_C.
  by have [rest ok] := ih (p |: C); exists ((p |: C) :: rest); rewrite /= (negbTE pC) size_C.
have [u uC] : exists u, u \in C by apply/set0Pn; rewrite -card_gt0 (leq_trans k0).
case: (arg_maxnP (fun v => index v f) uC) => v vC far.
have [rest ok] := ih (p |: (C :\ v)); exists ((p |: (C :\ v)) :: rest).
by rewrite /= (negbTE pC) ltnNge size_C /=; split=> //; exists v.
Qed.

(** Pages that are requested among the next [t] requests. *)
Definition soon future t : {set P} := [set q | index q future < t].

(** After a request to [p], with [p] cached on both sides, it does not matter when [p] comes again. *)
Lemma soon_step p future t : soon (p :: future) t.+1 = p |: soon future t.
Proof.
apply/setP=> q; rewrite !inE /= eq_sym; case: (eqVneq q p) => [_|_] //=.
Qed.

Lemma soon_both p future t C D n : p \in C -> p \in D ->
  #|D :&: soon (p :: future) t.+1| <= #|C :&: soon (p :: future) t.+1| + n ->
  #|D :&: soon future t| <= #|C :&: soon future t| + n.
Proof.
move=> pC pD; rewrite soon_step.
have split (E : {set P}) : p \in E -> #|E :&: (p |: soon future t)| = (p \notin soon future t) + #|E :&: soon future t|.
  move=> pE; rewrite setIUr (setIidPr _) ?sub1set // cardsU1; congr (_ + _).
  by rewrite !inE pE.
by rewrite !split // -addnA leq_add2l.
Qed.

(** If among the pages requested soon, however soon is meant, the rule lacks at most [n] more pages than a player,
    then it costs at most [n] more. *)
Lemma farthest_least s C D n caches others : #|C| <= k ->
  (forall t, #|D :&: soon s t| <= #|C :&: soon s t| + n) ->
  farthest C s caches -> schedule k s others -> cost_from C caches <= cost_from D others + n.
Proof.
elim: s C D n caches others => [|p f ih] C D n [|C' rest] [|D' others] //= size_C ahead [rule later].
rewrite schedule_cons => /andP[/andP[pD' size_D'] sched].
have sched1 : schedule k (p :: f) (C' :: rest).
  exact: (@farthest_schedule C (p :: f) (C' :: rest) size_C (conj rule later)).
have [pC' size_C'] : p \in C' /\ #|C'| <= k by move: sched1; rewrite schedule_cons => /andP[/andP[-> ->]].
have moved t : #|D' :&: soon (p :: f) t| <= #|D :&: soon (p :: f) t| + loads D D'.
  apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card; apply/subsetP=> q /setIP[qD' qS].
  by rewrite in_setU in_setI in_setD qD' qS; case: (q \in D).
(* The player is at least one ahead, or pays. *)
have some : (p \notin C) <= n + loads D D'.
  case: (boolP (p \in C)) => //= pC; have := moved 1; have := ahead 1; rewrite soon_step.
  have e (E : {set P}) : E :&: (p |: soon f 0) = if p \in E then [set p] else set0.
    apply/setP=> q; rewrite !inE ltn0 orbF; case: (eqVneq q p) => [->|qp]; case: ifP => //; rewrite ?inE ?eqxx ?andbF //.
    by rewrite (negbTE qp).
  rewrite !e pD' (negbTE pC) cards0 cards1 add0n; move: (#|_|) (loads _ _); clear; lia.
have paid : loads C C' <= (p \notin C).
  rewrite /loads; move: rule; case: (boolP (p \in C)) => [_ ->|pC]; first by rewrite setDv cards0.
  move=> rule; rewrite /= -(cards1 p); apply: subset_leq_card; apply/subsetP=> q.
  by case: ltnP rule => [_ ->|_ [v _ [_ ->]]]; rewrite !inE; case: (q == p) => //=; case: (q \in C); rewrite ?andbF.
have := ih C' D' (n + loads D D' - (p \notin C)) rest others size_C' _ later sched.
suff step t : #|D' :&: soon f t| <= #|C' :&: soon f t| + (n + loads D D' - (p \notin C)).
  by move=> /(_ step); move: paid some; move: (loads _ _) (loads _ _) (cost_from _ _) (cost_from _ _) (nat_of_bool _); clear; lia.
apply: (soon_both pC' pD'); have := moved t.+1; have := ahead t.+1; move: some.
set S := soon _ _; have eS : S = p |: soon f t := soon_step p f t.
have pS : p \in S by rewrite eS !inE eqxx.
clearbody S.
move: rule; case: (boolP (p \in C)) => [_ ->|pC] /=.
  by move: (#|_|) (#|_|) (#|_|) (loads _ _); clear; lia.
have more (E : {set P}) : E \subset C -> #|(p |: E) :&: S| = #|E :&: S|.+1.
  move=> sub; rewrite setIUl (setIidPl _) ?sub1set // cardsU1 !inE pS andbT.
  by rewrite (contra (subsetP sub p)).
case: ltnP => [_ ->|full [v vC [far ->]]].
  by rewrite more //; move: (#|_|) (#|_|) (#|_|) (loads _ _); clear; lia.
case: (boolP (v \in S)) => vS.
  (* The farthest page is requested soon, so all are: no player has more. *)
  have all : p |: (C :\ v) \subset S.
    apply/subsetP=> q; rewrite !inE => /orP[/eqP->//|/andP[_ qC]].
    have qp : q != p by apply: contraNneq pC => <-.
    have vp : v != p by apply: contraNneq pC => <-.
    move: vS; rewrite eS !inE (negbTE vp) (negbTE qp) /=; apply: leq_ltn_trans; exact: far.
  rewrite (setIidPl all) => some _ _.
  have -> : #|p |: (C :\ v)| = #|C|.
    by rewrite cardsU1 !inE (negbTE pC) andbF [RHS](cardsD1 v C) vC.
  apply: leq_trans (subset_leq_card (subsetIl _ _)) _.
  by apply: leq_trans size_D' (leq_trans full (leq_addr _ _)).
have same : (C :\ v) :&: S = C :&: S.
  by apply/setP=> q; rewrite !inE; case: (eqVneq q v) => [->|]; rewrite ?(negbTE vS) ?andbF.
by rewrite more ?subsetDl // same; move: (#|_|) (#|_|) (#|_|) (loads _ _); clear; lia.
Qed.

Theorem farthest_optimal s caches others :
  farthest set0 s caches -> schedule k s others -> schedule k s caches /\ cost caches <= cost others.
Proof.
have size0 : #|@set0 P| <= k by rewrite cards0.
move=> rule sched; split; first exact: farthest_schedule rule.
have := farthest_least size0 _ rule sched; move=> /(_ set0 0); rewrite addn0; apply=> t.
by rewrite addn0.
Qed.

End Farthest.
