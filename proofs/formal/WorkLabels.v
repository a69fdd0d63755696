(** * One label per page stands for the work function

    [labels k s] gives every page a label in 0 .. k, request by request, as the programs do (docs/exact.md, section 1;
    paging/work_function.py). The caches at which the work function is OPT are those that hold at most [c] pages with
    labels up to [c], for every [c <= k] ([labels_support]); OPT grows by 1 on a request to a page with label 0, and else
    does not ([opt_labels]); the labels and the work function less its least value determine each other ([labels_work]). *)

From Formal Require Export OptimalCaches.

Section Labels.

Variables (P : finType) (k : nat).

Notation labelling := {ffun P -> nat}.
Implicit Types (lab : labelling) (F : {set {set P}}) (B C D : {set P}) (p q r x : P) (s : seq P).

Definition serve_label lab p : labelling :=
  if lab p == k then lab
  else if lab p == 0 then
    let no_room := k <= #|[set q | 0 < lab q]| in
    [ffun q => if q == p then k else if no_room && (lab q == k) then k.-1 else lab q]
  else [ffun q => if q == p then k else if lab p <= lab q < k then (lab q).-1 else lab q].

Definition labels s : labelling := foldl serve_label [ffun => 0] s.

Lemma labels_rcons s p : labels (rcons s p) = serve_label (labels s) p.
Proof. exact: foldl_rcons. Qed.

(** Pages with labels up to [c], and the caches that the labels allow. *)
Definition upto lab c : {set P} := [set q | lab q <= c].
Definition allows lab C : Prop := forall c, c <= k -> #|C :&: upto lab c| <= c.

Hypothesis k0 : 0 < k.

(** ** Parts of members of the family *)

Definition part F C : Prop := exists2 B, B \in F & C \subset B.

Lemma part_reveal s p C : ~~ dead (fam k s) p -> part (fam k (rcons s p)) C <-> part (fam k s) (p |: C).
Proof.
move=> live; split=> -[B].
  by rewrite reveal_member // => /andP[BF pB] CB; exists B; rewrite // subUset sub1set pB.
by rewrite subUset sub1set => BF /andP[pB CB]; exists B; rewrite // reveal_member // BF.
Qed.

Lemma subset_join B C p : (C \subset p |: B) = (C :\ p \subset B).
Proof. by rewrite subDset. Qed.

Lemma part_full s p C : full k s p -> part (fam k (rcons s p)) C <-> part (fam k s) (C :\ p) /\ #|C :\ p| < k.
Proof.
move=> fp; have m := matroid_all k0 s; have [dp filled_] := andP fp.
have size_B B : B \in fam k s -> #|B| = k by move=> BF; apply/eqP; rewrite -(filledE m BF).
split=> [[_ /(full_member _ m fp)[B [x [BF xB ->]]]]|[[B BF sub] lt]].
  rewrite subset_join => sub; split; first by exists B => //; apply: subset_trans sub (subsetDl _ _).
  by apply: leq_ltn_trans (subset_leq_card sub) _; have := cardsD1 x B; rewrite xB size_B //= add1n => ->.
have [x xB xC] : exists2 x, x \in B & x \notin C :\ p.
  by apply/subsetPn; apply/negP=> /subset_leq_card; rewrite size_B // leqNgt lt.
exists (p |: (B :\ x)); first by apply/(full_member _ m fp); exists B, x.
rewrite subset_join; apply/subsetP=> q qC; rewrite in_setD1 (subsetP sub) // andbT.
by apply: contraNneq xC => <-.
Qed.

Lemma part_room s p B C : dead (fam k s) p -> B \in fam k s -> #|B| < k ->
  part (fam k (rcons s p)) C <-> part (fam k s) (C :\ p).
Proof.
move=> dp BF lt; have [new old] := room_member k0 (matroid_all k0 s) dp BF lt.
by rewrite /part new old; split=> -[D]; rewrite inE => /eqP-> sub; eexists; rewrite ?inE // ?subset_join // -subset_join.
Qed.

(** ** What the labels allow is what the family allows *)

(** The labels of a page requested since the last increment are [k], those of the others are smaller by as many. *)
Record agrees s lab : Prop := Agrees {
  agrees_le : forall q, lab q <= k;
  agrees_since : forall q, (lab q == k) = (q \in since k s);
  agrees_rest : forall q, lab q != k -> lab q + #|[set r in since k s]| <= k;
  agrees_allows : forall C, allows lab C <-> part (fam k s) C
}.

Lemma allows_sub lab C D : C \subset D -> allows lab D -> allows lab C.
Proof. by move=> sub ok c le; apply: leq_trans (ok c le); apply: subset_leq_card; apply: setSI. Qed.

Lemma allows1 lab p : allows lab [set p] <-> 0 < lab p.
Proof.
split=> [/(_ 0 isT)|pos c _].
  rewrite leqn0 cards_eq0 lt0n; apply: contraTneq => lab0; apply/set0Pn; exists p.
  by rewrite !inE eqxx lab0.
case: (posnP c) => [->|c0]; last first.
  by apply: leq_trans c0; rewrite -(cards1 p); apply: subset_leq_card; apply: subsetIl.
rewrite leqn0 cards_eq0; apply/eqP/setP=> q; rewrite !inE; case: eqP => //= ->.
by apply/negbTE; rewrite -ltnNge.
Qed.

Lemma agrees_dead s lab p : agrees s lab -> (lab p == 0) = dead (fam k s) p.
Proof.
move=> ag; apply/eqP/deadP => [lab0 B BF|dead_].
  apply/negP=> pB; have : allows lab [set p] by apply/(agrees_allows ag); exists B; rewrite ?sub1set.
  by move/allows1; rewrite lab0.
apply/eqP; rewrite -leqn0 leqNgt; apply/negP=> /allows1/(agrees_allows ag)[B BF].
by rewrite sub1set (negbTE (dead_ B BF)).
Qed.

Lemma since_le s : #|[set r in since k s]| <= k.
Proof.
have m := matroid_all k0 s; have [B BF] := fam_some m; apply: leq_trans (size_le m BF).
by apply: subset_leq_card; apply/subsetP=> q; rewrite inE -sure_since // => /sureP; apply.
Qed.

(** One request: what happens to a set of pages with labels up to a bound. *)
Lemma card_upto lab lab' C D c d : (forall q, (q \in C) && (lab q <= c) = (q \in D) && (lab' q <= d)) ->
  #|C :&: upto lab c| = #|D :&: upto lab' d|.
Proof. by move=> eq; apply: eq_card => q; rewrite !inE. Qed.

Lemma serve_full s lab p : full k s p -> agrees s lab ->
  serve_label lab p = [ffun q => if q == p then k else if lab q == k then k.-1 else lab q].
Proof.
move=> /andP[dp filled_] ag; have lab0 : lab p = 0 by apply/eqP; rewrite (agrees_dead p ag).
have no_room : k <= #|[set q | 0 < lab q]|.
  have m := matroid_all k0 s; have [B BF] := fam_some m; move: filled_; rewrite (filledE m BF) => /eqP <-.
  apply: subset_leq_card; apply/subsetP=> q qB; rewrite inE lt0n (agrees_dead q ag).
  by apply/not_deadP; exists B.
by apply/ffunP=> q; rewrite /serve_label lab0 eq_sym eqn0Ngt k0 !ffunE no_room.
Qed.

Lemma agrees_full s lab p : full k s p -> agrees s lab -> agrees (rcons s p) (serve_label lab p).
Proof.
move=> fp ag; have ltk : k.-1 < k by rewrite prednK.
rewrite (serve_full fp ag); split=> [q|q|q|C]; rewrite ?ffunE ?since_rcons ?fp.
- by case: (q == p) => //; case: ifP => _; rewrite ?leq_pred ?(agrees_le ag).
- rewrite inE; case: (q == p); rewrite ?eqxx //; case: (boolP (lab q == k)) => [_|/negbTE//].
  by apply/negbTE; rewrite neq_ltn ltk.
- have -> : #|[set r in [:: p]]| = 1 by rewrite cardsE; apply/card_uniqP.
  case: (q == p); rewrite ?eqxx // addn1; case: (boolP (lab q == k)) => [_ _|ne _].
    by rewrite prednK.
  by rewrite ltn_neqAle ne (agrees_le ag).
rewrite part_full // -(agrees_allows ag); split=> [ok|[ok lt] c le].
  have all : #|C :\ p| < k.
    rewrite -ltnS -(prednK k0) ltnS; have := ok k.-1 (leq_pred k).
    rewrite (_ : _ :&: _ = C :\ p) //; apply/setP=> q; rewrite !inE ffunE.
    have := agrees_le ag q; case: (q == p) => /=; first by rewrite (leqNgt k) ltk andbF.
    rewrite andbC; case: (q \in C); rewrite ?andbF // andbT; case: eqP => [_ _|/eqP ne le]; first by rewrite leqnn.
    by rewrite -ltnS prednK // ltn_neqAle ne.
  split=> // c le; case: (ltnP c k.-1) => lt.
    rewrite -(@card_upto [ffun q => if q == p then k else if lab q == k then k.-1 else lab q] lab C _ c) ?ok // => q.
    rewrite !inE ffunE; case: (q == p) => /=; first by apply/negbTE; rewrite negb_and -!ltnNge (leq_trans lt) ?leq_pred ?orbT.
    by case: eqP => // ->; rewrite !(leqNgt _ c) lt (leq_trans lt) ?leq_pred.
  apply: leq_trans (subset_leq_card (subsetIl _ _)) _; apply: leq_trans lt; by rewrite -ltnS prednK.
case: (ltnP c k.-1) => ltc.
  rewrite (@card_upto _ lab C (C :\ p) c c) ?ok // => q.
  rewrite !inE ffunE; case: (q == p) => /=; first by apply/negbTE; rewrite negb_and -!ltnNge (leq_trans ltc) ?leq_pred ?orbT.
  by case: eqP => // ->; rewrite !(leqNgt _ c) ltc (leq_trans ltc) ?leq_pred.
case: (ltnP c k) => [ltk'|gek].
  apply: leq_trans ltc; rewrite -ltnS prednK //; apply: leq_ltn_trans lt; apply: subset_leq_card.
  apply/subsetP=> q; rewrite !inE ffunE => /andP[-> ]; case: (q == p) => //.
  by rewrite (leqNgt k) ltk'.
apply: leq_trans (subset_leq_card (subsetIl _ _)) _; apply: leq_trans gek.
by rewrite (cardsD1 p C); case: (p \in C) => //=; exact: ltnW.
Qed.

Lemma room_labels s lab p B q : dead (fam k s) p -> B \in fam k s -> #|B| < k -> agrees s lab ->
  lab q != k -> lab q = 0.
Proof.
move=> dp BF lt ag ne; have [_ one] := room_member k0 (matroid_all k0 s) dp BF lt.
apply/eqP; apply: contraR ne; rewrite (agrees_dead q ag) (agrees_since ag) -sure_since // one => /not_deadP[D].
by rewrite inE => /eqP-> qB; apply/sureP=> E; rewrite inE => /eqP->.
Qed.

Lemma serve_room s lab p B : dead (fam k s) p -> B \in fam k s -> #|B| < k -> agrees s lab ->
  serve_label lab p = [ffun q => if q == p then k else lab q].
Proof.
move=> dp BF lt ag; have [_ one] := room_member k0 (matroid_all k0 s) dp BF lt.
have lab0 : lab p = 0 by apply/eqP; rewrite (agrees_dead p ag).
have room_ : (k <= #|[set q | 0 < lab q]|) = false.
  apply/negbTE; rewrite -ltnNge; apply: leq_ltn_trans lt; apply: subset_leq_card; apply/subsetP=> q.
  by rewrite inE lt0n (agrees_dead q ag) one => /not_deadP[D]; rewrite inE => /eqP->.
by apply/ffunP=> q; rewrite /serve_label lab0 eq_sym eqn0Ngt k0 room_ /= !ffunE.
Qed.

Lemma agrees_room s lab p B : dead (fam k s) p -> B \in fam k s -> #|B| < k -> agrees s lab ->
  agrees (rcons s p) (serve_label lab p).
Proof.
move=> dp BF lt ag; have [_ one] := room_member k0 (matroid_all k0 s) dp BF lt.
have two q := @room_labels s lab p B q dp BF lt ag; rewrite (serve_room dp BF lt ag).
have not_full := not_full_room dp BF lt; have few := since_le (rcons s p).
split=> [q|q|q|C]; rewrite ?ffunE.
- by case: (q == p); rewrite ?(agrees_le ag).
- by rewrite since_rcons not_full inE; case: (q == p); rewrite ?eqxx ?(agrees_since ag).
- by case: (q == p); rewrite ?eqxx // => /two->.
rewrite (part_room _ dp BF lt) -(agrees_allows ag); split=> ok c le.
  apply: leq_trans (ok c le); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE ffunE.
  by case: (q == p); rewrite //= => /andP[/andP[_ ->]].
case: (ltnP c k) => [ltk|gek].
  rewrite (@card_upto _ lab C (C :\ p) c c) ?ok // => q; rewrite !inE ffunE; case: (q == p) => //=.
  by rewrite leqNgt ltk andbF.
have [D DF sub] := (agrees_allows ag _).1 ok; apply: leq_trans gek.
apply: leq_trans (subset_leq_card (subsetIl _ _)) _; move: lt (subset_leq_card sub); rewrite (cardsD1 p C).
by move: DF; rewrite one inE => /eqP->; case: (p \in C) => /=; clear; lia.
Qed.

(** To [k] pages that are allowed all sure ones can be added. *)
Lemma allows_sure s lab p C : agrees s lab -> lab p = k -> allows lab C -> allows lab (p |: C).
Proof.
move=> ag labk ok c; rewrite leq_eqVlt => /orP[/eqP->|lt]; last first.
  apply: leq_trans (ok c (ltnW lt)); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE.
  by case: (eqVneq q p) => [->|_]; rewrite // labk leqNgt lt andbF.
set S := [set r in since k s]; have le_S := since_le s; rewrite -/S in le_S.
have sub : (p |: C) :&: upto lab k \subset S :|: (C :&: upto lab (k - #|S|)).
  apply/subsetP=> q; rewrite !inE -(agrees_since ag) => /andP[pC _].
  case: (boolP (lab q == k)) => //= ne; rewrite -(leq_add2r #|S|) subnK // (agrees_rest ag) // andbT.
  by move: pC; case: (eqVneq q p) => // e; rewrite e labk eqxx in ne.
apply: leq_trans (subset_leq_card sub) (leq_trans (leq_card_setU _ _).1 _).
by rewrite -[X in _ <= X](subnKC le_S) leq_add2l ok ?leq_subr.
Qed.

Lemma agrees_reveal s lab p : ~~ dead (fam k s) p -> agrees s lab -> agrees (rcons s p) (serve_label lab p).
Proof.
move=> live ag; have few := since_le (rcons s p).
have eW : since k (rcons s p) = p :: since k s by rewrite since_rcons /full (negbTE live).
rewrite eW in few; have pos : 0 < lab p by rewrite lt0n (agrees_dead p ag).
case: (eqVneq (lab p) k) => [labk|ne].
  have eS q : (q \in since k (rcons s p)) = (q \in since k s).
    by rewrite eW inE; case: eqP => // ->; rewrite -(agrees_since ag) labk eqxx.
  have -> : serve_label lab p = lab by rewrite /serve_label labk eqxx.
  split=> [q|q|q ne|C]; rewrite ?eS ?(agrees_le ag) ?(agrees_since ag) //.
    by apply: leq_trans (agrees_rest ag ne); rewrite leq_add2l; apply: subset_leq_card; apply/subsetP=> r; rewrite !inE eS.
  rewrite part_reveal // -(agrees_allows ag); split; first exact: (allows_sure ag labk).
  exact: allows_sub (subsetUr _ _).
have labk : lab p < k by rewrite ltn_neqAle ne (agrees_le ag).
have E q : serve_label lab p q = if q == p then k else if lab p <= lab q < k then (lab q).-1 else lab q.
  by rewrite /serve_label (negbTE ne) (negbTE (lt0n_neq0 pos)) ffunE.
set lab' := serve_label lab p in E *.
have lt_k q : q != p -> (lab' q == k) = (lab q == k).
  rewrite E => /negbTE->; case: ifP => // /andP[_ lt]; rewrite !eqn_leq; move: lt; clear; lia.
have count : #|[set r in p :: since k s]| = #|[set r in since k s]|.+1.
  by rewrite set_cons cardsU1 inE -(agrees_since ag) ne.
split=> [q|q|q|C].
- by rewrite E; case: (q == p) => //; move: (agrees_le ag q); case: ifP => _; clear; lia.
- rewrite eW inE; case: (eqVneq q p) => [->|qp]; first by rewrite E eqxx eqxx.
  by rewrite lt_k // (agrees_since ag).
- case: (eqVneq q p) => [->|qp]; first by rewrite E eqxx eqxx.
  rewrite lt_k // eW count E (negbTE qp) => qk; move: (agrees_rest ag qk) (agrees_rest ag ne) (agrees_le ag q) (qk) pos.
  by case: ifP; clear; lia.
rewrite part_reveal // -(agrees_allows ag).
have below c : c.+1 < lab p -> #|C :&: upto lab' c| = #|(p |: C) :&: upto lab c|.
  move=> lt; apply: card_upto => q; rewrite !inE E; case: (eqVneq q p) => [->|_] /=.
    by rewrite [k <= c]leqNgt (ltn_trans (ltnW lt) labk) [lab p <= c]leqNgt (ltnW lt) andbF.
  by congr (_ && _); case: ifP => // /andP[]; move: lt pos; clear; lia.
have above c : lab p <= c.+1 -> c.+1 < k -> #|C :&: upto lab' c|.+1 = #|(p |: C) :&: upto lab c.+1|.
  move=> le lt; rewrite [RHS](cardsD1 p) !inE eqxx le /= add1n; congr S; apply: eq_card => q; rewrite !inE E.
  case: (eqVneq q p) => [->|_] /=; first by rewrite leqNgt (ltn_trans (ltnSn c) lt) andbF.
  by congr (_ && _); case: ifP; move: le lt pos; clear; lia.
split=> ok c le.
  case: (ltnP c (lab p)) => [lt|ge].
    case: (ltnP c.+1 (lab p)) => [lt'|ge']; first by rewrite -below // ok.
    have -> : #|(p |: C) :&: upto lab c| = #|(C :\ p) :&: upto lab c|.
      by apply: card_upto => q; rewrite !inE; case: (eqVneq q p) => [->|_]; rewrite //= leqNgt lt.
    apply: leq_trans (ok c le); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE E.
    by case: (q == p) => //= /andP[-> /=]; case: ifP; clear; lia.
  case: (ltnP c k) => [lt|ge'].
    have c0 : 0 < c := leq_trans pos ge; rewrite -(prednK c0) in ge lt *.
    by rewrite -above // ltnS ok // (leq_trans (leqnSn _)) // ltnW.
  have -> : c = k by apply/eqP; rewrite eqn_leq le ge'.
  apply: leq_trans (subset_leq_card (subsetIl _ _)) _.
  set S := [set r in p :: since k s]; rewrite -/S in few.
  have sub : p |: C \subset S :|: (C :&: upto lab' (k - #|S|)).
    rewrite subUset sub1set !inE eqxx /=; apply/subsetP=> q qC; rewrite !inE qC /= -(agrees_since ag).
    case: (eqVneq q p) => //= qp; case: (boolP (lab q == k)) => //= qk; rewrite E (negbTE qp) count.
    move: (agrees_rest ag qk) (agrees_rest ag ne) (agrees_le ag q) (qk) pos.
    by case: ifP; clear; lia.
  apply: leq_trans (subset_leq_card sub) (leq_trans (leq_card_setU _ _).1 _).
  by rewrite -[X in _ <= X](subnKC few) leq_add2l ok ?leq_subr.
have all : #|p |: C| <= k.
  apply: leq_trans (ok k (leqnn k)); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE => ->.
  by rewrite (agrees_le ag).
case: (ltnP c.+1 (lab p)) => [lt|ge]; first by rewrite below // ok.
case: (ltnP c.+1 k) => [lt|ge'].
  by rewrite -ltnS above // ok // ltnW.
case: (ltnP c k) => [lt|ge'']; last first.
  apply: leq_trans (subset_leq_card (subsetIl _ _)) (leq_trans _ ge'').
  by apply: leq_trans all; apply: subset_leq_card; apply: subsetUr.
rewrite -ltnS; apply: leq_trans (leq_trans all ge'); rewrite (cardsD1 p (p |: C)) !inE eqxx add1n ltnS.
apply: subset_leq_card; apply/subsetP=> q; rewrite !inE E; case: (q == p) => /=.
  by rewrite (leqNgt k) lt andbF.
by case/andP.
Qed.

Lemma agrees_all s : agrees s (labels s).
Proof.
elim/last_ind: s => [|s p ih].
  split=> [q|q|q _|C]; rewrite ?ffunE //=.
  - by rewrite eq_sym eqn0Ngt k0.
  - by rewrite add0n since_le.
  split=> [/(_ 0 isT)|[B]]; last by rewrite inE => /eqP->; rewrite subset0 => /eqP-> c _; rewrite set0I cards0.
  rewrite leqn0 cards_eq0 => /eqP e; exists set0; rewrite ?inE // subset0 -e.
  by apply/eqP/setP=> q; rewrite !inE ffunE andbT.
rewrite labels_rcons; case: (kinds p (matroid_all k0 s)) => [live|fp|[dp [B BF lt]]].
- exact: agrees_reveal.
- exact: agrees_full.
exact: agrees_room dp BF lt ih.
Qed.

(** ** What the labels say *)

(** The support: the caches that cost no more than OPT are those that the labels allow. *)
Theorem labels_support s C : work k s C = opt k s <-> forall c, c <= k -> #|C :&: upto (labels s) c| <= c.
Proof.
apply: iff_trans (iff_sym (agrees_allows (agrees_all s) C)); have [[B BF eq] upper] := work_family k0 s C.
split=> [same|[D DF sub]].
  exists B => //; rewrite -setD_eq0 -cards_eq0; move/eqP: eq.
  by rewrite same -[X in X == _]addn0 eqn_add2l eq_sym.
apply/eqP; rewrite eqn_leq (work_min k0) andbT; apply: leq_trans (upper D DF) _.
by rewrite leqNgt -[X in X < _]addn0 ltn_add2l card_gt0 setD_eq0 sub.
Qed.

(** The optimal caches, of [k] pages once [k] pages have been requested. *)
Theorem labels_family s C :
  C \in fam k s <-> #|C| = minn k (size (undup s)) /\ forall c, c < k -> #|C :&: upto (labels s) c| <= c.
Proof.
apply: iff_trans (family_optimal k0 s C) _; split=> -[size_C ok]; split=> //.
  by move=> c /ltnW; move/labels_support: ok; apply.
apply/labels_support=> c; rewrite leq_eqVlt => /orP[/eqP->|]; last exact: ok.
by apply: leq_trans (subset_leq_card (subsetIl _ _)) _; rewrite size_C geq_minl.
Qed.

(** OPT's increment. *)
Theorem opt_labels s p : opt k (rcons s p) = opt k s + (labels s p == 0).
Proof. by rewrite opt_dead // (agrees_dead p (agrees_all s)). Qed.

(** Label 0: in no optimal cache. Label [k]: in every one. *)
Theorem labels_zero s p : labels s p = 0 <-> forall B, B \in fam k s -> p \notin B.
Proof. by rewrite (rwP eqP) (agrees_dead p (agrees_all s)); apply: iff_sym (rwP (deadP _ _)). Qed.

Theorem labels_sure s p : labels s p = k <-> forall B, B \in fam k s -> p \in B.
Proof. by rewrite (rwP eqP) (agrees_since (agrees_all s)) -sure_since //; apply: iff_sym (rwP (sureP _ _)). Qed.

(** ** Equal labels, equal work functions *)

Lemma allows_join lab C p : allows lab C -> #|C| < lab p -> allows lab (p |: C).
Proof.
move=> ok lt c le; case: (ltnP c (lab p)) => [lt'|ge].
  apply: leq_trans (ok c le); apply: subset_leq_card; apply/subsetP=> q; rewrite !inE.
  by case: (eqVneq q p) => [->|_] //=; rewrite leqNgt lt' andbF.
apply: leq_trans (leq_trans lt ge); apply: leq_trans (subset_leq_card (subsetIl _ _)) _.
by rewrite cardsU1; case: (p \in C).
Qed.

(** No label is larger than it must be: [C] has no place for [p]. *)
Definition exact lab := forall p, lab p < k ->
  exists C, [/\ allows lab C, #|C| = lab p, p \notin C & C \subset upto lab (lab p)].

Lemma exact_join lab C p : lab p < k -> #|C| = lab p -> p \notin C -> C \subset upto lab (lab p) ->
  ~ allows lab (p |: C).
Proof.
move=> lt size_C pC sub /(_ _ (ltnW lt)); rewrite (setIidPl _) ?cardsU1 ?pC ?size_C ?ltnn //.
by rewrite subUset sub1set inE leqnn.
Qed.

Lemma exact_le lab lab' : (forall C, allows lab C <-> allows lab' C) -> exact lab' -> (forall p, lab p <= k) ->
  forall p, lab p <= lab' p.
Proof.
move=> same ex le p; case: (ltnP (lab' p) k) => [lt|ge]; last exact: leq_trans (le p) ge.
have [C [ok size_C pC sub]] := ex p lt; rewrite leqNgt; apply/negP=> less.
by apply: (exact_join lt size_C pC sub); apply/same; apply: allows_join; [apply/same|rewrite size_C].
Qed.

Lemma allows_exchange s lab C r : agrees s lab -> ~~ dead (fam k s) r -> allows lab C -> ~ allows lab (r |: C) ->
  exists2 x, x \in C & allows lab (r |: (C :\ x)).
Proof.
move=> ag live /(agrees_allows ag)[B BF CB] no; have [D DF rD] := not_deadP _ _ live.
have rB : r \notin B.
  by apply/negP=> rB; apply: no; apply/(agrees_allows ag); exists B; rewrite // subUset sub1set rB.
have [x [xB xD inF]] := fam_exchange (matroid_all k0 s) BF DF rD rB.
case: (boolP (x \in C)) => xC; last first.
  case: no; apply/(agrees_allows ag); exists (r |: (B :\ x)) => //; apply: setUS; apply/subsetP=> q qC.
  by rewrite in_setD1 (subsetP CB) // andbT; apply: contraNneq xC => <-.
exists x => //; apply/(agrees_allows ag); exists (r |: (B :\ x)) => //; apply: setUS; exact: setSD.
Qed.

Lemma exact_all s : exact (labels s).
Proof.
have zero lab p : lab p = 0 -> exists C, [/\ allows lab C, #|C| = lab p, p \notin C & C \subset upto lab (lab p)].
  by move=> ->; exists set0; rewrite cards0 inE sub0set; split=> // c _; rewrite set0I cards0.
elim/last_ind: s => [|s r ih] p lt; first by apply: zero; rewrite ffunE.
have ag := agrees_all s; have ag' := agrees_all (rcons s r).
move: lt ag'; rewrite labels_rcons; set lab := labels s in ih ag *.
have m := matroid_all k0 s; case: (kinds r m) => [live|fr|[dr [B BF lt]]]; last first.
- rewrite (serve_room dr BF lt ag) => ltk _; apply: zero; move: ltk; rewrite ffunE; case: (p == r); first by rewrite ltnn.
  by move=> ltk; apply: room_labels dr BF lt ag _; rewrite neq_ltn ltk.
- have [dr filled_] := andP fr; rewrite (serve_full fr ag); set lab' := finfun _ => lt' ag'.
  have E q : lab' q = if q == r then k else if lab q == k then k.-1 else lab q by rewrite ffunE.
  have pr : p != r by apply: contraTneq lt' => ->; rewrite E eqxx ltnn.
  have out C : allows lab C -> r \notin C.
    by case/(agrees_allows ag)=> B BF /subsetP sub; apply: contra (deadP _ _ dr _ BF); apply: sub.
  have ok C : allows lab C -> #|C| < k -> allows lab' C.
    move=> okC size_C; apply/(agrees_allows ag')/(part_full _ fr).
    have -> : C :\ r = C by apply/setP=> q; rewrite !inE; case: eqP => // ->; rewrite (negbTE (out _ okC)).
    by split=> //; apply/(agrees_allows ag).
  rewrite E (negbTE pr); case: (eqVneq (lab p) k) => [labk|ne].
    have [B BF] := fam_some m; have size_B : #|B| = k by apply/eqP; rewrite -(filledE m BF).
    have pB : p \in B by apply: sureP BF; rewrite sure_since // -(agrees_since ag) labk.
    have size_ : #|B :\ p| = k.-1 by rewrite -size_B (cardsD1 p B) pB.
    have okB : allows lab (B :\ p) by apply/(agrees_allows ag); exists B; rewrite ?subsetDl.
    exists (B :\ p); rewrite size_ !inE eqxx; split=> //; first by apply: ok; rewrite ?size_ ?prednK.
    apply/subsetP=> q qB; have qr : q != r by apply: contraNneq (out _ okB) => <-.
    rewrite inE E (negbTE qr); case: eqP => // /eqP qk.
    by rewrite -ltnS prednK // ltn_neqAle qk (agrees_le ag).
  have ltp : lab p < k by rewrite ltn_neqAle ne (agrees_le ag).
  have [C [okC size_C pC sub]] := ih p ltp; exists C; split=> //; first by apply: ok; rewrite ?size_C.
  apply/subsetP=> q qC; have qr : q != r by apply: contraNneq (out _ okC) => <-.
  have := subsetP sub q qC; rewrite !inE E (negbTE qr) => le; case: eqP le => // -> le.
  by have := leq_ltn_trans le ltp; rewrite ltnn.
have pos : 0 < lab r by rewrite lt0n (agrees_dead r ag).
case: (eqVneq (lab r) k) => [labk|ne] lt' ag'.
  by move: lt'; rewrite /serve_label labk eqxx; apply: ih.
move: lt' ag'; set lab' := serve_label lab r => lt' ag'.
have E q : lab' q = if q == r then k else if lab r <= lab q < k then (lab q).-1 else lab q.
  by rewrite /lab' /serve_label (negbTE ne) (negbTE (lt0n_neq0 pos)) ffunE.
have ok C : allows lab (r |: C) -> allows lab' C.
  by move=> okC; apply/(agrees_allows ag')/(part_reveal _ live)/(agrees_allows ag).
have pr : p != r by apply: contraTneq lt' => ->; rewrite E eqxx ltnn.
have ltp : lab p < k.
  rewrite ltn_neqAle (agrees_le ag) andbT; apply: contraTneq lt' => e.
  by rewrite E (negbTE pr) e ltnn andbF ltnn.
have [C [okC size_C pC sub]] := ih p ltp; rewrite E (negbTE pr) ltp andbT.
case: (leqP (lab r) (lab p)) => [le|less]; last first.
  exists C; split=> //; first by apply: ok; apply: allows_join; rewrite ?size_C.
  apply/subsetP=> q qC; have := subsetP sub q qC; rewrite !inE E => le.
  have qr : q != r by apply: contraTneq le => ->; rewrite -ltnNge.
  by rewrite (negbTE qr) [lab r <= _]leqNgt (leq_ltn_trans le less).
have [x xC okx] : exists2 x, x \in C & r \notin C :\ x /\ allows lab (r |: (C :\ x)).
  case: (boolP (r \in C)) => rC; first by exists r; rewrite // setD1K // !inE eqxx.
  have no : ~ allows lab (r |: C).
    move/(_ _ (ltnW ltp)); rewrite (setIidPl _) ?cardsU1 ?rC ?size_C ?ltnn //.
    by rewrite subUset sub1set inE le.
  have [x xC okx] := allows_exchange ag live okC no; exists x => //; split=> //.
  by rewrite in_setD1 (negbTE rC) andbF.
case: okx => rx okx; exists (C :\ x); split.
- exact: ok.
- by rewrite -size_C (cardsD1 x C) xC.
- by rewrite in_setD1 (negbTE pC) andbF.
apply/subsetP=> q qx; have qr : q != r by apply: contraNneq rx => <-.
have := subsetP sub q (subsetP (subsetDl _ _) q qx); rewrite !inE E (negbTE qr).
by case: ifP; move: le ltp pos; clear; lia.
Qed.

Lemma work_parts s s' : norm (work k s) = norm (work k s') -> forall C, allows (labels s) C <-> allows (labels s') C.
Proof.
have side u C : allows (labels u) C <-> norm (work k u) C = 0.
  apply: iff_trans (iff_sym (labels_support u C)) _; rewrite (work_norm k0 u C).
  by split=> [/eqP|-> //]; rewrite -[X in _ == X]add0n eqn_add2r => /eqP.
by move=> eq C; rewrite !side eq.
Qed.

Lemma parts_fam s s' : (forall C, allows (labels s) C <-> allows (labels s') C) -> {subset fam k s <= fam k s'}.
Proof.
move=> same B BF; have into u u' : (forall C, allows (labels u) C <-> allows (labels u') C) ->
    forall D, D \in fam k u -> exists2 E, E \in fam k u' & D \subset E.
  move=> eq D DF; apply/(agrees_allows (agrees_all u'))/eq/(agrees_allows (agrees_all u)); by exists D.
have [C CF BC] := into _ _ same B BF; have [|D DF CD] := into s' s _ C CF; first by move=> E; apply: iff_sym.
suff -> : B = C by []; apply/eqP; rewrite eqEcard BC /=; apply: leq_trans (subset_leq_card CD) _.
by rewrite (fam_size (matroid_all k0 s) BF) (fam_size (matroid_all k0 s) DF).
Qed.

Lemma fam_work_le s s' C : fam k s = fam k s' -> norm (work k s) C <= norm (work k s') C.
Proof.
move=> eq; have [[B BF e] _] := work_family k0 s' C; have [_ upper] := work_family k0 s C.
rewrite -eq in BF; have := upper B BF; rewrite (work_norm k0 s C) addnC leq_add2l => le.
by move: e; rewrite (work_norm k0 s' C) addnC => /addnI->.
Qed.

(** The labels are determined by what the future depends on, and determine it. *)
Theorem labels_work s s' : labels s = labels s' <-> norm (work k s) = norm (work k s').
Proof.
split=> [eq|/work_parts same]; last first.
  apply/ffunP=> p; apply/eqP; rewrite eqn_leq; apply/andP; split; apply: exact_le.
  - exact: same.
  - exact: exact_all.
  - exact: (agrees_le (agrees_all s)).
  - by move=> C; apply: iff_sym.
  - exact: exact_all.
  exact: (agrees_le (agrees_all s')).
have same u u' : labels u = labels u' -> {subset fam k u <= fam k u'} by move=> e; apply: parts_fam; rewrite e.
have eqF : fam k s = fam k s' by apply/setP=> B; apply/idP/idP; apply: same.
by apply/ffunP=> C; apply/eqP; rewrite eqn_leq !fam_work_le.
Qed.

End Labels.
