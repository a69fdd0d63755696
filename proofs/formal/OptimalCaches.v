(** * Optimal caches

    [fam k s] is the family of optimal caches after the requests [s] (docs/zrc.md, Fact 1): the sets that can be cached
    after [s] has been served at least cost, of [k] pages once [k] pages have been requested. A page is dead if no member
    of the family holds it, sure if every one does, open otherwise. Requests to dead pages are increments: they cost
    every schedule 1 ([fam_lower]). Facts 1 to 4 of docs/zrc.md, as far as upper bounds on a policy need them. *)

From Formal Require Export Phases Marking WorkFunction.

Section Families.

Variables (P : finType) (k : nat).
Hypothesis k0 : 0 < k.

Implicit Types (F : {set {set P}}) (B C D A : {set P}) (p q x : P) (s : seq P).

Definition dead F p := [forall B in F, p \notin B].
Definition sure F p := [forall B in F, p \in B].
Definition open F p := ~~ dead F p && ~~ sure F p.

(** Every member has [k] pages: the cache is full. *)
Definition filled F := [forall B in F, #|B| == k].

(** Who may leave [B] when the dead page [p] comes in: nobody ([p] stands for that) while there is room. *)
Definition leaving B p := if #|B| < k then [set p] else B.

Definition fam_step F p : {set {set P}} :=
  if dead F p then [set p |: (B :\ x) | B in F, x in leaving B p] else [set B in F | p \in B].

(** The family; the requests since the last increment of a full cache, latest first; the increments before the cache
    was full, and after. *)
Definition state_step (st : {set {set P}} * seq P * nat * nat) p :=
  let: (F, W, n, J) := st in
  let full := dead F p && filled F in
  (fam_step F p, if full then [:: p] else p :: W, n + (dead F p && ~~ filled F), J + full).

Definition state s := foldl state_step ([set set0], [::], 0, 0) s.
Definition fam s := (state s).1.1.1.
Definition since s := (state s).1.1.2.
Definition early s := (state s).1.2.
Definition increments s := (state s).2.

Definition full s p := dead (fam s) p && filled (fam s).

Lemma fam_rcons s p : fam (rcons s p) = fam_step (fam s) p.
Proof. by rewrite /fam /state foldl_rcons; case: foldl => [[[F W] n] J]. Qed.

Lemma since_rcons s p : since (rcons s p) = if full s p then [:: p] else p :: since s.
Proof. by rewrite /since /full /fam /state foldl_rcons; case: foldl => [[[F W] n] J]. Qed.

Lemma early_rcons s p : early (rcons s p) = early s + (dead (fam s) p && ~~ filled (fam s)).
Proof. by rewrite /early /fam /state foldl_rcons; case: foldl => [[[F W] n] J]. Qed.

Lemma increments_rcons s p : increments (rcons s p) = increments s + full s p.
Proof. by rewrite /increments /full /fam /state foldl_rcons; case: foldl => [[[F W] n] J]. Qed.

(** ** Members *)

Lemma deadP F p : reflect (forall B, B \in F -> p \notin B) (dead F p).
Proof. exact: forall_inP. Qed.

Lemma sureP F p : reflect (forall B, B \in F -> p \in B) (sure F p).
Proof. exact: forall_inP. Qed.

Lemma not_deadP F p : reflect (exists2 B, B \in F & p \in B) (~~ dead F p).
Proof.
rewrite negb_forall_in; apply: (iffP exists_inP) => -[B BF pB]; exists B => //; by rewrite negbK in pB *.
Qed.

Lemma not_sureP F p : reflect (exists2 B, B \in F & p \notin B) (~~ sure F p).
Proof. by rewrite negb_forall_in; apply: exists_inP. Qed.

Definition exchange F := forall B C p, B \in F -> C \in F -> p \in C -> p \notin B ->
  exists x, [/\ x \in B, x \notin C & p |: (B :\ x) \in F].

(** What is true of every family. *)
Record matroid s : Prop := Matroid {
  fam_some : exists B, B \in fam s;
  fam_size : forall B, B \in fam s -> #|B| = minn k (size (undup s));
  fam_sub : forall B, B \in fam s -> {subset B <= s};
  fam_exchange : exchange (fam s)
}.

Lemma size_undup_rcons s p : size (undup (rcons s p)) = size (undup s) + (p \notin s).
Proof.
rewrite undup_rcons size_rcons; case: (boolP (p \in s)) => [ps|ps] /=.
  rewrite addn0 -[in RHS](@perm_size _ (p :: rem p (undup s))) ?rem_filter ?undup_uniq //=.
  by rewrite perm_sym -rem_filter ?undup_uniq // perm_to_rem // mem_undup.
rewrite addn1; congr S; rewrite size_filter -[RHS]count_predT; apply: eq_in_count => q.
by rewrite mem_undup => qs; rewrite /= (memPn ps).
Qed.

(** One more for a page that is dead: what a new member looks like. *)
Lemma new_member F p C : C \in [set p |: (B :\ x) | B in F, x in leaving B p] ->
  exists B x, [/\ B \in F, x \in leaving B p & C = p |: (B :\ x)].
Proof. by case/imset2P=> B x BF xB ->; exists B, x. Qed.

Lemma size_swap B p x : p \notin B -> x \in B -> #|p |: (B :\ x)| = #|B|.
Proof. by move=> pB xB; rewrite cardsU1 !inE (negbTE pB) andbF /= [RHS](cardsD1 x B) xB. Qed.

Lemma size_join B p : p \notin B -> #|p |: (B :\ p)| = #|B|.+1.
Proof. by move=> pB; rewrite cardsU1 !inE eqxx /= add1n; congr S; apply: eq_card => q; rewrite !inE; case: eqP => // ->; rewrite (negbTE pB). Qed.

(** While there is room the only member holds all pages requested so far. *)
Lemma room s B : matroid s -> B \in fam s -> #|B| < k -> B = [set q in s].
Proof.
move=> m BF lt; apply/eqP; rewrite eqEcard; apply/andP; split.
  by apply/subsetP=> q qB; rewrite inE; apply: (fam_sub m BF).
have := fam_size m BF; move: lt; rewrite cardsE -(card_uniqP (undup_uniq s)) (eq_card (mem_undup s)); lia.
Qed.

Lemma filledE s B : matroid s -> B \in fam s -> filled (fam s) = (#|B| == k).
Proof.
move=> m BF; apply/forall_inP/eqP => [all|size_B C CF]; first exact/eqP/all.
by rewrite (fam_size m CF) -(fam_size m BF) size_B.
Qed.

Lemma size_le s B : matroid s -> B \in fam s -> #|B| <= k.
Proof. by move=> m BF; rewrite (fam_size m BF) geq_minl. Qed.

(** The three kinds of requests, and the family after each. *)
Lemma reveal_member s p C : ~~ dead (fam s) p -> (C \in fam (rcons s p)) = (C \in fam s) && (p \in C).
Proof. by move=> live; rewrite fam_rcons /fam_step (negbTE live) inE. Qed.

Lemma room_member s p B : matroid s -> dead (fam s) p -> B \in fam s -> #|B| < k ->
  fam (rcons s p) = [set p |: B] /\ fam s = [set B].
Proof.
move=> m dp BF lt; have one : fam s = [set B].
  apply/setP=> C; rewrite inE; apply/idP/eqP => [CF|-> //].
  by rewrite (room m BF lt) (room m CF) // (fam_size m CF) -(fam_size m BF).
split=> //; have pB := deadP _ _ dp _ BF.
have same : p |: (B :\ p) = p |: B by apply/setP=> q; rewrite !inE; case: eqP.
rewrite fam_rcons /fam_step dp one; apply/setP=> C; rewrite inE; apply/imset2P/eqP => [[D x]|->].
  by rewrite inE => /eqP->; rewrite /leaving lt inE => /eqP-> ->.
by exists B p; rewrite ?inE // /leaving lt inE.
Qed.

Lemma full_member s p C : matroid s -> full s p -> reflect (exists B x, [/\ B \in fam s, x \in B & C = p |: (B :\ x)])
  (C \in fam (rcons s p)).
Proof.
move=> m /andP[dp filled_]; rewrite fam_rcons /fam_step dp.
have all B : B \in fam s -> leaving B p = B.
  by move=> BF; rewrite /leaving; have := filledE m BF; rewrite filled_ => /esym/eqP->; rewrite ltnn.
apply: (iffP imset2P) => [[B x BF]|[B [x [BF xB ->]]]]; first by rewrite all // => xB ->; exists B, x.
by exists B x; rewrite ?all.
Qed.

Lemma kinds s p : matroid s ->
  [\/ ~~ dead (fam s) p, full s p | dead (fam s) p /\ exists2 B, B \in fam s & #|B| < k].
Proof.
move=> m; case: (boolP (dead (fam s) p)) => [dp|]; last by constructor 1.
have [B BF] := fam_some m; have := size_le m BF; rewrite leq_eqVlt => /orP[eq|lt].
  by constructor 2; rewrite /full dp (filledE m BF).
by constructor 3; split=> //; exists B.
Qed.

Lemma not_full_room s p B : dead (fam s) p -> B \in fam s -> #|B| < k -> full s p = false.
Proof.
move=> dp BF lt; rewrite /full dp; apply/negbTE/forall_inPn; exists B => //.
by rewrite neq_ltn lt.
Qed.

Lemma matroid_nil : matroid [::].
Proof.
split; rewrite /fam /=.
- by exists set0; rewrite inE.
- by move=> B; rewrite inE => /eqP->; rewrite cards0 minn0.
- by move=> B; rewrite inE => /eqP-> q; rewrite inE.
by move=> B C p; rewrite !inE => _ /eqP->; rewrite inE.
Qed.

Lemma exchange_full s p : matroid s -> full s p -> exchange (fam (rcons s p)).
Proof.
move=> m fp B1 B2 e /(full_member _ m fp)[B [x [BF xB eq1]]] /(full_member _ m fp)[C [y [CF yC eq2]]] e2 e1.
have [dp _] := andP fp; have pB := deadP _ _ dp _ BF; have pC := deadP _ _ dp _ CF.
have size1 : #|B1| = #|B2|.
  by rewrite eq1 eq2 !size_swap // (fam_size m BF) (fam_size m CF).
have ep : e != p by apply: contraNneq e1 => ->; rewrite eq1 !inE eqxx.
have [eC ey] : e \in C /\ e != y by move: e2; rewrite eq2 !inE (negbTE ep) /= => /andP[].
have [z z1 z2] : exists2 z, z \in B1 & z \notin B2.
  apply/subsetPn; apply: contra e1 => sub; suff -> : B1 = B2 by [].
  by apply/eqP; rewrite eqEcard sub size1 /=.
have zp : z != p by apply: contraNneq z2 => ->; rewrite eq2 !inE eqxx.
have [zB zx] : z \in B /\ z != x by move: z1; rewrite eq1 !inE (negbTE zp) /= => /andP[].
case: (boolP (e \in B)) => [eB|eB].
  have ex : e = x by move: e1; rewrite eq1 !inE (negbTE ep) eB andbT /= => /negPn/eqP.
  exists z; split=> //; apply/(full_member _ m fp); exists B, z; split=> //.
  rewrite eq1; apply/setP=> q; rewrite !inE ex.
  case: (eqVneq q x) => [->|_] /=; last by case: (eqVneq q z) => [->|_] /=; rewrite ?(negbTE zp).
  by rewrite (eq_sym x z) zx xB orbT.
have [w [wB wC inF]] := fam_exchange m BF CF eC eB.
have wp : w != p by apply: contraNneq pB => <-.
case: (eqVneq w x) => [ex|wx].
  exists z; split=> //; apply/(full_member _ m fp); exists (e |: (B :\ w)), z; split=> //.
    by rewrite !inE zB ex zx orbT.
  rewrite eq1 ex; apply/setP=> q; rewrite !inE.
  case: (eqVneq q e) => [->|_] /=; last first.
    by case: (eqVneq q p) => [->|_]; rewrite /= ?andbT // eq_sym zp.
  by rewrite (negbTE ep) /= andbT; apply/esym; apply: contraNneq z2 => <-.
exists w; split.
- by rewrite eq1 !inE wx wB orbT.
- by rewrite eq2 !inE (negbTE wp) (negbTE wC) andbF.
apply/(full_member _ m fp); exists (e |: (B :\ w)), x; split=> //.
  by rewrite !inE (eq_sym x w) wx xB orbT.
rewrite eq1; apply/setP=> q; rewrite !inE.
case: (eqVneq q e) => [->|_] /=; last first.
  by case: (eqVneq q p) => [->|_]; rewrite /= ?andbT 1?eq_sym ?wp // andbCA.
by rewrite (negbTE ep) /= andbT; apply/esym; apply: contraNneq eB => ->.
Qed.

Lemma matroid_rcons s p : matroid s -> matroid (rcons s p).
Proof.
move=> m; have in_rcons q : q \in rcons s p = (q == p) || (q \in s) by rewrite mem_rcons inE.
case: (kinds p m) => [live|fp|[dp [B BF lt]]].
- have [B BF pB] := not_deadP _ _ live; have ps := fam_sub m BF pB.
  split.
  + by exists B; rewrite reveal_member // BF.
  + by move=> C; rewrite reveal_member // => /andP[CF _]; rewrite size_undup_rcons ps addn0 (fam_size m CF).
  + by move=> C; rewrite reveal_member // => /andP[CF _] q /(fam_sub m CF); rewrite in_rcons orbC => ->.
  move=> C D q; rewrite !reveal_member // => /andP[CF pC] /andP[DF pD] qD qC.
  have [x [xC xD inF]] := fam_exchange m CF DF qD qC; exists x; split=> //.
  rewrite reveal_member // inF !inE pC andbT; apply/orP; right.
  by apply: contraNneq xD => <-.
- have [dp filled_] := andP fp; have [B BF] := fam_some m.
  have size_C C : C \in fam s -> #|C| = k by move=> CF; apply/eqP; rewrite -(filledE m CF).
  split; last exact: exchange_full.
  + have [x xB] : exists x, x \in B by apply/set0Pn; rewrite -card_gt0 size_C.
    by exists (p |: (B :\ x)); apply/(full_member _ m fp); exists B, x.
  + move=> C /(full_member _ m fp)[D [x [DF xD ->]]]; rewrite size_swap ?(deadP _ _ dp) //.
    by have := fam_size m DF; rewrite size_C // size_undup_rcons; clear; lia.
  move=> C /(full_member _ m fp)[D [x [DF xD ->]]] q; rewrite !inE in_rcons => /orP[->//|/andP[_ qD]].
  by rewrite (fam_sub m DF qD) orbT.
have [new one] := room_member m dp BF lt; have pB := deadP _ _ dp _ BF.
have all := room m BF lt; have ps : p \notin s by move: pB; rewrite all inE.
rewrite -[X in matroid X]/(rcons s p); split; rewrite ?new.
- by exists (p |: B); rewrite inE.
- move=> C; rewrite inE => /eqP->; rewrite cardsU1 pB size_undup_rcons ps.
  by have := fam_size m BF; move: lt => /=; clear; lia.
- by move=> C; rewrite inE => /eqP-> q; rewrite !inE all inE in_rcons.
by move=> C D q; rewrite !inE => /eqP-> /eqP->; move=> ->.
Qed.

Lemma matroid_all s : matroid s.
Proof. by elim/last_ind: s => [|s p]; [exact: matroid_nil|exact: matroid_rcons]. Qed.

(** Fact 2: the sure pages are those requested since the last increment of a full cache. *)
Lemma sure_since s p : sure (fam s) p = (p \in since s).
Proof.
elim/last_ind: s p => [|s p ih] q.
  apply/negbTE/not_sureP; exists set0; by rewrite ?inE.
have m := matroid_all s; have [B0 B0F] := fam_some m.
have new C : C \in fam (rcons s p) -> p \in C.
  case: (kinds p m) => [live|fp|[dp [B BF lt]]]; first by rewrite reveal_member // => /andP[].
    by case/(full_member _ m fp)=> B [x [_ _ ->]]; rewrite !inE eqxx.
  by have [-> _] := room_member m dp BF lt; rewrite inE => /eqP->; rewrite !inE eqxx.
rewrite since_rcons; case: (eqVneq q p) => [->|qp].
  by rewrite (_ : p \in _); [apply/sureP|case: ifP; rewrite inE eqxx].
case: (kinds p m) => [live|fp|[dp [B BF lt]]].
- have -> : full s p = false by rewrite /full (negbTE live).
  rewrite inE (negbTE qp) /= -ih; apply/sureP/sureP => all B BF; last by move: BF; rewrite reveal_member // => /andP[/all].
  apply: contraT => qB; have [C CF pC] := not_deadP _ _ live.
  case: (boolP (p \in B)) => [pB|pB]; first by have := all B; rewrite reveal_member // BF pB (negbTE qB) => /(_ isT).
  have [x [xB xC inF]] := fam_exchange m BF CF pC pB.
  by have := all (p |: (B :\ x)); rewrite reveal_member // inF !inE eqxx (negbTE qp) (negbTE qB) andbF => /(_ isT).
- rewrite fp inE (negbTE qp); apply/negbTE/not_sureP.
  have [dp filled_] := andP fp; have size_B : #|B0| = k by apply/eqP; rewrite -(filledE m B0F).
  have [x xB] : exists x, x \in B0 by apply/set0Pn; rewrite -card_gt0 size_B.
  case: (boolP (q \in B0)) => [qB|qB].
    exists (p |: (B0 :\ q)); last by rewrite !inE eqxx (negbTE qp).
    by apply/(full_member _ m fp); exists B0, q.
  exists (p |: (B0 :\ x)); last by rewrite !inE (negbTE qB) (negbTE qp) andbF.
  by apply/(full_member _ m fp); exists B0, x.
rewrite (not_full_room dp BF lt) inE (negbTE qp) /= -ih.
have [-> ->] := room_member m dp BF lt.
by apply/sureP/sureP => all C; rewrite inE => /eqP->; [have := all (p |: B)|have := all B]; rewrite !inE eqxx (negbTE qp) => /(_ isT).
Qed.

(** Fact 1, as far as it is needed: every schedule pays for every increment, and for what it caches beside some
    member of the family. *)
Lemma fam_lower s cs : schedule k s cs ->
  exists2 B, B \in fam s & early s + increments s + #|last set0 cs :\: B| <= cost cs.
Proof.
elim/last_ind: s cs => [|s p ih] cs.
  by case: cs => // _; exists set0; rewrite ?inE //= set0D cards0.
case/schedule_rconsP=> cs' [C [-> sched pC sizeC]]; have [B BF le] := ih _ sched.
rewrite last_rcons cost_rcons early_rcons increments_rcons; move: le; set D := last _ _ => le.
have m := matroid_all s.
have {le} : early s + increments s + #|C :\: B| <= cost cs' + loads D C.
  apply: leq_trans (leq_add le (leqnn _)); rewrite -[X in _ <= X]addnA leq_add2l.
  apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card.
  by apply/subsetP=> z; rewrite !inE; case: (z \in B); case: (z \in C); case: (z \in D).
have swap x : p \notin B -> #|C :\: (p |: (B :\ x))| + 1 <= #|C :\: B| + (x \in C).
  move=> pB; rewrite (cardsD1 p (C :\: B)) !inE pC pB /= -addnA [1 + _]addnC leq_add2r.
  case: (boolP (x \in C)) => xC /=.
    rewrite addnC -(cards1 x); apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card.
    apply/subsetP=> z; rewrite !inE; case: (z == x) => //=; by case: (z == p); case: (z \in B); case: (z \in C).
  rewrite addn0; apply: subset_leq_card; apply/subsetP=> z; rewrite !inE.
  case: (eqVneq z x) => [->|_]; first by rewrite (negbTE xC) !andbF.
  by case: (z == p); case: (z \in B); case: (z \in C).
case: (kinds p m) => [live|fp|[dp [B' BF' lt]]].
- have -> : full s p = false by rewrite /full (negbTE live).
  rewrite (negbTE live) !addn0 => le.
  case: (boolP (p \in B)) => [pB|pB]; first by exists B; rewrite // reveal_member // BF.
  have [E EF pE] := not_deadP _ _ live; have [x [xB xE inF]] := fam_exchange m BF EF pE pB.
  exists (p |: (B :\ x)); first by rewrite reveal_member // inF !inE eqxx.
  apply: leq_trans le; rewrite leq_add2l -(leq_add2r 1).
  by apply: leq_trans (swap x pB) _; rewrite leq_add2l leq_b1.
- have [dp filled_] := andP fp; have pB := deadP _ _ dp _ BF; rewrite fp dp filled_ addn0 => le.
  have [x xB xC] : exists2 x, x \in B & x \notin C.
    apply/subsetPn; apply: contra pB => sub; suff -> : B = C by [].
    by apply/eqP; rewrite eqEcard sub; move: filled_; rewrite (filledE m BF) => /eqP->.
  exists (p |: (B :\ x)); first by apply/(full_member _ m fp); exists B, x.
  by have := swap x pB; rewrite (negbTE xC) /=; move: le; clear; lia.
have pB := deadP _ _ dp _ BF; have eqB : #|B| < k by rewrite (fam_size m BF) -(fam_size m BF').
have [new _] := room_member m dp BF eqB; rewrite (not_full_room dp BF eqB) => le.
have -> : filled (fam s) = false by rewrite (filledE m BF); apply/negbTE; rewrite neq_ltn eqB.
rewrite dp /= addn0; exists (p |: B); first by rewrite new inE.
have := swap p pB; rewrite pC (_ : p |: (B :\ p) = p |: B); last by apply/setP=> q; rewrite !inE; case: eqP.
have : #|C :\: (p |: B)| + 1 = #|C :\: B|.
  rewrite (cardsD1 p (C :\: B)) !inE pC pB addnC /=; congr (_ + _).
  by apply: eq_card => z; rewrite !inE negb_or andbA.
by move: le; clear; lia.
Qed.

(** Fact 1: the family is that of the optimal caches, OPT is the number of increments, and to have [C] cached in the
    end costs what [C] has beside a member of the family. *)
Lemma loads_triangle B C D : loads B D <= loads B C + loads C D.
Proof.
rewrite addnC; apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card.
by apply/subsetP=> z; rewrite !inE; case: (z \in B); case: (z \in C); case: (z \in D).
Qed.

Lemma work_loads s B C : work k s C <= work k s B + loads B C.
Proof.
have [cs sched <-] := work_attained k0 s B; apply: leq_trans (work_least k0 C sched) _.
by rewrite -addnA leq_add2l loads_triangle.
Qed.

Lemma fam_upper s B : B \in fam s -> work k s B <= early s + increments s.
Proof.
elim/last_ind: s B => [|s p ih] B; first by rewrite inE => /eqP->; rewrite /work ffunE cards0.
have m := matroid_all s; move=> BF.
have served : work k (rcons s p) B <= work k s B.
  have pB : p \in B.
    by apply: (@sureP _ p) BF; rewrite sure_since since_rcons; case: ifP => _; rewrite inE eqxx.
  have [_ [_ _ least]] := updateP k0 (work k s) p B; rewrite work_rcons; apply: leq_trans (least B _) _.
    by rewrite /serves pB (size_le (matroid_all _) BF).
  by rewrite /loads setDv cards0 addn0.
apply: leq_trans served _; rewrite early_rcons increments_rcons.
have one C x : p |: (C :\ x) = B -> loads C B <= 1.
  move=> <-; rewrite -(cards1 p); apply: subset_leq_card; apply/subsetP=> z; rewrite !inE.
  by case: (z == p) => //=; case: (z \in C); rewrite ?andbF.
case: (kinds p m) => [live|fp|[dp [C CF lt]]].
- by move: BF; rewrite reveal_member // => /andP[/ih le _]; apply: leq_trans le _; apply: leq_add; apply: leq_addr.
- case/(full_member _ m fp): BF => C [x [CF _ eq]]; apply: leq_trans (work_loads s C B) _.
  by move: (ih C CF) (one C x (esym eq)); rewrite fp /=; clear; lia.
have [new _] := room_member m dp CF lt; move: BF; rewrite new inE => /eqP eq.
apply: leq_trans (work_loads s C B) _; have le1 : loads C B <= 1.
  by apply: (one C p); rewrite eq; apply/setP=> z; rewrite !inE; case: eqP.
have -> : dead (fam s) p && ~~ filled (fam s) = true by rewrite dp (filledE m CF) neq_ltn lt.
by move: (ih C CF) le1 => /=; clear; lia.
Qed.

Lemma fam_work s C : exists2 B, B \in fam s & early s + increments s + #|C :\: B| <= work k s C.
Proof.
have [cs sched <-] := work_attained k0 s C; have [B BF le] := fam_lower sched; exists B => //.
apply: leq_trans (leq_add le (leqnn _)); rewrite -[X in _ <= X]addnA leq_add2l.
by have := loads_triangle B (last set0 cs) C; rewrite /loads.
Qed.

Theorem opt_increments s : opt k s = early s + increments s.
Proof.
apply/eqP; rewrite eqn_leq; have [B BF le] := fam_work s set0.
rewrite (leq_trans _ le) ?leq_addr // andbT; have [C CF] := fam_some (matroid_all s).
exact: leq_trans (work_min k0 s C) (fam_upper CF).
Qed.

Lemma opt_dead s p : opt k (rcons s p) = opt k s + dead (fam s) p.
Proof.
rewrite !opt_increments early_rcons increments_rcons /full.
by case: (dead _ _); case: (filled _); rewrite /= ?addn0 ?addnA // addnAC.
Qed.

Theorem work_family s C :
  (exists2 B, B \in fam s & work k s C = opt k s + #|C :\: B|) /\
  (forall B, B \in fam s -> work k s C <= opt k s + #|C :\: B|).
Proof.
have upper B : B \in fam s -> work k s C <= opt k s + #|C :\: B|.
  by move=> BF; apply: leq_trans (work_loads s B C) _; rewrite opt_increments leq_add2r fam_upper.
split=> //; have [B BF le] := fam_work s C; exists B => //.
by apply/eqP; rewrite eqn_leq upper //= opt_increments.
Qed.

Theorem family_optimal s C : C \in fam s <-> #|C| = minn k (size (undup s)) /\ work k s C = opt k s.
Proof.
split=> [CF|[size_C eq]].
  split; first exact: (fam_size (matroid_all s) CF).
  by apply/eqP; rewrite eqn_leq work_min // opt_increments fam_upper.
have [[B BF]] := work_family s C; rewrite eq -[X in X = _]addn0 => /addnI/esym/eqP.
rewrite cards_eq0 setD_eq0 => sub _; suff -> : C = B by [].
by apply/eqP; rewrite eqEcard sub /= (fam_size (matroid_all s) BF) size_C leqnn.
Qed.

(** Fact 3: a page requested more recently may take the place of another one. *)
Lemma recency s B u v : B \in fam s -> u \in B -> v \notin B -> v \in s ->
  index v (recent s) < index u (recent s) -> v |: (B :\ u) \in fam s.
Proof.
elim/last_ind: s B u v => [|s p ih] B u v; first by [].
have m := matroid_all s; rewrite recent_rcons mem_rcons inE /= ![p == _]eq_sym.
move=> BF uB vB vs lt.
have pB : p \in B by have := sure_since (rcons s p) p; rewrite since_rcons; case: ifP => _; rewrite inE eqxx => /sureP/(_ _ BF).
have vp : v != p by apply: contraNneq vB => ->.
have up : u != p by apply: contraTneq lt => ->; rewrite eqxx.
move: vs lt; rewrite (negbTE vp) (negbTE up) ltnS /= => vs lt.
have {}lt : index v (recent s) < index u (recent s).
  move: lt; elim: (recent s) => //= q R ih'.
  case: (eqVneq q p) => [->|qp] /=; first by rewrite ![p == _]eq_sym (negbTE vp) (negbTE up) ltnS.
  by case: (q == v); case: (q == u) => //=; rewrite !ltnS.
case: (kinds p m) => [live|fp|[dp [C CF ltC]]].
- move: BF; rewrite !reveal_member // => /andP[BF _].
  by rewrite (ih _ u v) // !inE pB (eq_sym p u) up orbT.
- have [dp _] := andP fp; case/(full_member _ m fp): BF => C [x [CF xC eqB]].
  have pC := deadP _ _ dp _ CF; apply/(full_member _ m fp).
  have uC : u \in C /\ u != x by move: uB; rewrite eqB !inE (negbTE up) => /andP[].
  case: uC => uC ux.
  case: (eqVneq v x) => [vx|vx].
    exists C, u; split=> //; rewrite eqB vx; apply/setP=> q; rewrite !inE.
    case: (eqVneq q x) => [->|_]; first by rewrite xC eq_sym ux orbT.
    by case: (eqVneq q p) => [->|_] /=; rewrite ?andbT // eq_sym up.
  have vC : v \notin C by move: vB; rewrite eqB !inE (negbTE vp) vx.
  exists (v |: (C :\ u)), x; split; first exact: ih.
    by rewrite !inE (eq_sym x u) ux xC orbT.
  rewrite eqB; apply/setP=> q; rewrite !inE; case: (eqVneq q v) => [->|_]; first by rewrite vx orbT.
  by case: (eqVneq q p) => [->|_] /=; rewrite ?andbT 1?eq_sym ?up // andbCA.
have [new _] := room_member m dp CF ltC; move: BF; rewrite new inE => /eqP eqB.
by move: vB; rewrite eqB (room m CF ltC) !inE vs orbT.
Qed.

Lemma recent_alive s v : v \in take k (recent s) -> ~~ dead (fam s) v.
Proof.
move=> vk; have m := matroid_all s; have [B BF] := fam_some m.
have vR : v \in recent s by apply: mem_take vk.
have vs : v \in s by move: vR; rewrite mem_rev mem_undup.
case: (boolP (v \in B)) => [vB|vB]; first by apply/not_deadP; exists B.
have [u uB lt] : exists2 u, u \in B & index v (recent s) < index u (recent s).
  apply/exists_inP; apply: contraT => /exists_inPn none.
  have sub : {subset enum B <= take (index v (recent s)) (recent s)}.
    move=> u; rewrite mem_enum => uB; have := none u uB; rewrite -leqNgt leq_eqVlt.
    have uR : u \in recent s by rewrite mem_rev mem_undup (fam_sub m BF uB).
    case/orP=> [/eqP eq|lt]; last by rewrite in_take.
    by move: vB; rewrite -(nth_index v vR) -eq nth_index // uB.
  have le1 : index v (recent s) < size (recent s) by rewrite index_mem.
  have := uniq_leq_size (enum_uniq _) sub; rewrite -cardE (fam_size m BF) size_take le1.
  have le2 : index v (recent s) < k by move: vk; rewrite in_take.
  by move: le1 le2; rewrite size_rev; move: (index _ _) (size _); clear; lia.
by apply/not_deadP; exists (v |: (B :\ u)); rewrite ?inE ?eqxx // recency.
Qed.

(** Fact 4: how many pages of a set a member of the family may hold. *)
Definition rank s A := \max_(B in fam s) #|A :&: B|.

Lemma rankP s A n : reflect (forall B, B \in fam s -> #|A :&: B| <= n) (rank s A <= n).
Proof. exact: bigmax_leqP. Qed.

Lemma rank_ge s A B : B \in fam s -> #|A :&: B| <= rank s A.
Proof. exact: (@leq_bigmax_cond _ (fun B => B \in fam s) (fun B => #|A :&: B|)). Qed.

Lemma rank_sub s A D : A \subset D -> rank s A <= rank s D.
Proof.
move=> sub; apply/rankP=> B BF; apply: leq_trans (rank_ge D BF).
by apply: subset_leq_card; apply: setSI.
Qed.

Lemma rank_add s A p : rank s (p |: A) <= rank s A + 1.
Proof.
apply/rankP=> B BF; rewrite addnC; apply: leq_trans (leq_add (leqnn 1) (rank_ge A BF)).
rewrite -(cards1 p); apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card.
by apply/subsetP=> z; rewrite !inE; case: (z == p); case: (z \in A); case: (z \in B).
Qed.

(** No request makes the rank of a set without the page requested grow, and a reveal of one of its pages lowers it. *)
Lemma rank_step s p A : p \notin A -> rank (rcons s p) A <= rank s A.
Proof.
move=> pA; have m := matroid_all s; apply/rankP=> C.
case: (kinds p m) => [live|fp|[dp [B BF lt]]].
- by rewrite reveal_member // => /andP[CF _]; apply: rank_ge.
- case/(full_member _ m fp)=> B [x [BF xB ->]]; apply: leq_trans (rank_ge A BF).
  apply: subset_leq_card; apply/subsetP=> z; rewrite !inE.
  by case: (eqVneq z p) => [->|_]; rewrite ?(negbTE pA) //; case: (z == x); case: (z \in A).
have [-> _] := room_member m dp BF lt; rewrite inE => /eqP->; apply: leq_trans (rank_ge A BF).
apply: subset_leq_card; apply/subsetP=> z; rewrite !inE.
by case: (eqVneq z p) => [->|_]; rewrite ?(negbTE pA).
Qed.

Lemma rank_reveal s p A : ~~ dead (fam s) p -> p \in A -> rank (rcons s p) (A :\ p) < rank s A.
Proof.
move=> live pA; have [B0 B0F pB0] := not_deadP _ _ live.
have pos : 0 < rank s A.
  by apply: leq_trans (rank_ge A B0F); rewrite card_gt0; apply/set0Pn; exists p; rewrite inE pA.
rewrite -(prednK pos) ltnS; apply/rankP=> C; rewrite reveal_member // => /andP[CF pC].
have := rank_ge A CF; rewrite (cardsD1 p) inE pA pC /= add1n.
have -> : (A :&: C) :\ p = (A :\ p) :&: C by apply/setP=> z; rewrite !inE andbA.
by move: pos; lia.
Qed.

End Families.
