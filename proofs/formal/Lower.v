(** * No deterministic algorithm is better than k - l + 1

    [L2] of docs/bounds.md: if [l <= k], there are more than [k] pages and no layer is empty, then every deterministic
    algorithm, lazy or not, has a competitive ratio of at least [k - l + 1]. With [l = 1] this is the bound [k] of
    Sleator and Tarjan.

    The adversary plays [k + 1] pages [U], at least one per layer: a page of the layer being served that the algorithm
    lacks, if there is one, and else the page of that layer requested last. *)

From Formal Require Import Phases.

Section Adversary.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat) (A : algorithm P).
Variables (home : 'I_l -> P) (U : {set P}).
Hypotheses (l0 : 0 < l) (lk : l <= k) (ok : valid layer k A).
Hypotheses (layer_home : forall j, layer (home j) = j) (homeU : forall j, home j \in U) (sizeU : #|U| = k.+1).

Let k0 : 0 < k := leq_trans l0 lk.

Definition turn (s : seq P) : 'I_l := Ordinal (ltn_pmod (size s) l0).

Definition latest (s : seq P) (j : 'I_l) : P := last (home j) [seq p <- s | layer p == j].

Definition lacking (s : seq P) : pred P := [pred p in U | (layer p == turn s) && (p \notin A s)].

Definition next (s : seq P) : P := if [pick p | lacking s p] is Some p then p else latest s (turn s).

Fixpoint play (T : nat) : seq P := if T is T'.+1 then rcons (play T') (next (play T')) else [::].

Lemma latest_rcons s p j : latest (rcons s p) j = if layer p == j then p else latest s j.
Proof. by rewrite /latest filter_rcons; case: ifP => // _; rewrite last_rcons. Qed.

Lemma latestP s j : {subset s <= U} -> layer (latest s j) = j /\ latest s j \in U.
Proof.
elim/last_ind: s => [|s p ih] sU; first by rewrite /latest /= layer_home homeU.
rewrite latest_rcons; case: eqP => [<-|_]; first by rewrite sU // mem_rcons mem_head.
by apply: ih => q qs; apply: sU; rewrite mem_rcons inE qs orbT.
Qed.

Lemma next_layer s : {subset s <= U} -> layer (next s) = turn s /\ next s \in U.
Proof.
rewrite /next; case: pickP => [p /and3P[pU /eqP-> _] //|_]; exact: latestP.
Qed.

(** Every request is for a page that the algorithm lacks, or repeats the last one of its layer. *)
Lemma next_kind s : {subset s <= U} -> next s \notin A s \/ next s = latest s (layer (next s)).
Proof.
move=> sU; rewrite (next_layer sU).1 /next; case: pickP => [p /and3P[_ _ ->]|_]; [by left|by right].
Qed.

Lemma next_lacking s y : lacking s y -> next s \notin A s.
Proof. by rewrite /next; case: pickP => [p /and3P[]//|->]. Qed.

Lemma size_play T : size (play T) = T.
Proof. by elim: T => //= T ih; rewrite size_rcons ih. Qed.

Lemma playU T : {subset play T <= U}.
Proof.
elim: T => //= T ih p; rewrite mem_rcons inE => /orP[/eqP->|]; [exact: (next_layer ih).2|exact: ih].
Qed.

Lemma play_legal T : legal layer (play T).
Proof.
elim: T => [|T ih]; first exact: legal_nil.
by apply/legal_rcons; split=> //; rewrite (next_layer (@playU T)).1.
Qed.

Lemma cost_play T : cost_of A (play T.+1) = cost_of A (play T) + loads (A (play T)) (A (play T.+1)).
Proof. exact: cost_of_rcons ok. Qed.

Lemma fault_costs T : (next (play T) \notin A (play T)) <= loads (A (play T)) (A (play T.+1)).
Proof.
case: (boolP (_ \in _)) => //= out; rewrite card_gt0; apply/set0Pn; exists (next (play T)).
by rewrite inE out; case: (ok.2 _ _ (@play_legal T.+1)).
Qed.

(** ** What the algorithm pays for a phase *)

Definition stale s : {set 'I_l} := [set j | latest s j \notin marks k s].

Lemma cost_by_phases T :
  (k - l).+1 * ended k (play T) + #|marks k (play T)| + #|stale (play T)| <= cost_of A (play T) + l.
Proof.
elim: T => [|T ih].
  by rewrite muln0 cards0 !add0n -[X in _ <= X]card_ord max_card.
rewrite cost_play; have := fault_costs T; have := next_kind (@playU T).
have := ended_rcons k (play T) (next (play T)); have := marks_rcons k (play T) (next (play T)).
rewrite -/(play T.+1); move: (loads _ _) => paid.
move: ih; set s := play T; set p := next s; set s' := play T.+1 => ih.
have sub : stale s' \subset (~: [set layer p]).
  apply/subsetP=> j; rewrite !inE latest_rcons eq_sym; case: eqP => // _.
  by rewrite marks_rcons; case: ifP; rewrite !inE eqxx.
have fewer : #|stale s'| < l.
  by have := subset_leq_card sub; rewrite cardsC1 card_ord; move: l0; lia.
case: leqP => [fits|full] -> -> kind paid_.
  have sub' : stale s' \subset stale s :\ layer p.
    apply/subsetP=> j js'; move: (js') (subsetP sub j js').
    rewrite !inE latest_rcons marks_rcons fits eq_sym; case: eqP => //= _.
    by rewrite !inE => /norP[_ ->].
  have gone : (latest s (layer p) \notin marks k s) + #|stale s'| <= #|stale s|.
    have -> : #|stale s| = (layer p \in stale s) + #|stale s :\ layer p| by exact: cardsD1.
    by rewrite inE leq_add2l subset_leq_card.
  rewrite cardsU1 addn0; move: (_ * ended k s) ih => DN.
  by case: kind paid_ gone => [->|<-]; case: (p \in marks k s) => /=; lia.
have [new size_marks] := phase_full k0 full.
have : (p \notin A s) + #|stale s| >= 1.
  case: kind => [->//|e]; apply: leq_trans (leq_addl _ _); rewrite card_gt0; apply/set0Pn.
  by exists (layer p); rewrite inE -e.
move: paid_ ih; rewrite size_marks cards1 mulnDr /=; move: (_ * ended _ _) => DN; move: fewer => /=; lia.
Qed.

(** ** What the algorithm pays for a round *)

Lemma cost_mono T i : cost_of A (play T) <= cost_of A (play (T + i)).
Proof. by elim: i => [|i ih]; rewrite ?addn0 // addnS cost_play; apply: leq_trans ih (leq_addr _ _). Qed.

Lemma no_load T i :
  cost_of A (play T) < cost_of A (play (T + i)) \/ A (play (T + i)) \subset A (play T).
Proof.
elim: i => [|i [less|sub]]; rewrite ?addn0 ?addnS; first by right.
  by left; rewrite cost_play; apply: leq_trans less (leq_addr _ _).
case: (posnP (loads (A (play (T + i))) (A (play (T + i).+1)))) => [none|some].
  by right; apply: subset_trans sub; rewrite -setD_eq0 -cards_eq0 -[#|_|]/(loads _ _) none.
by left; rewrite cost_play; have := cost_mono T i; move: some; lia.
Qed.

Lemma cost_of_round T : cost_of A (play T) < cost_of A (play (T + l)).
Proof.
have [y yU out] : exists2 y, y \in U & y \notin A (play T).
  apply/subsetPn; apply/negP=> /subset_leq_card; rewrite sizeU ltnNge => /negP; apply.
  case: T => [|T]; first by rewrite ok.1 cards0.
  by case: (ok.2 _ _ (@play_legal T.+1)).
have [i lt_i here] : exists2 i, i < l & (T + i) %% l = layer y.
  exists ((layer y + (l - T %% l)) %% l); first by rewrite ltn_mod.
  have -> : T + (layer y + (l - T %% l)) %% l = T + (layer y + (l - T %% l)) %[mod l] by rewrite modnDmr.
  have -> : T + (layer y + (l - T %% l)) = T %/ l * l + (layer y + l).
    by move: (divn_eq T l) (ltn_pmod T l0); move: (T %/ l * l) (T %% l); lia.
  by rewrite modnMDl modnDr modn_small.
apply: leq_trans (_ : cost_of A (play (T + i).+1) <= _); last first.
  have -> : T + l = (T + i).+1 + (l - i.+1) by move: lt_i; lia.
  exact: cost_mono.
case: (no_load T i) => [less|sub]; rewrite cost_play; first exact: leq_trans less (leq_addr _ _).
have fault : next (play (T + i)) \notin A (play (T + i)).
  apply: (@next_lacking _ y); rewrite /lacking !inE yU (contra (subsetP sub y)) // andbT.
  by apply/eqP/val_inj; rewrite /= size_play here.
by have := fault_costs (T + i); rewrite fault; have := cost_mono T i; rewrite /=; lia.
Qed.

Lemma cost_by_rounds m : m <= cost_of A (play (m * l)).
Proof.
elim: m => // m ih; apply: leq_ltn_trans ih _; rewrite mulSn addnC; exact: cost_of_round.
Qed.

(** ** What it costs offline: one fault a phase *)

Lemma offline T y : y \in U -> y \notin marks k (play T.+1) ->
  exists cs, [/\ schedule k (play T.+1) cs, last set0 cs = U :\ y & cost cs <= ended k (play T.+1) + k].
Proof.
have size_y z : z \in U -> #|U :\ z| = k by move=> zU; have := cardsD1 z U; rewrite zU sizeU => -[].
elim: T y => [|T ih] y yU.
  rewrite /= (marks_rcons k [::]) setU0 cards1 k0 !inE => ynext.
  have nU := (next_layer (@playU 0)).2.
  exists [:: U :\ y]; split=> //; last by rewrite /cost /= /loads setD0 size_y // addn0 leq_addl.
  by rewrite /= !inE size_y // leqnn (eq_sym _ y) ynext nU.
have nU := (next_layer (@playU T.+1)).2.
rewrite [play T.+2]/= marks_rcons ended_rcons; set p := next _ in nU *.
case: leqP => [fits|full]; rewrite !inE.
  case/norP=> py out; have [cs [sched end_ cost_]] := ih _ yU out.
  exists (rcons cs (U :\ y)); split; rewrite ?last_rcons //.
    by rewrite schedule_rcons sched !inE size_y // leqnn (eq_sym p) py nU.
  by rewrite cost_rcons end_ /loads setDv cards0 !addn0.
move=> py; have [new size_marks] := phase_full k0 full.
have [cs [sched end_ cost_]] := ih _ nU new.
exists (rcons cs (U :\ y)); split; rewrite ?last_rcons //.
  by rewrite schedule_rcons sched !inE size_y // leqnn (eq_sym p) py nU.
rewrite cost_rcons end_; apply: leq_trans (leq_add cost_ (_ : _ <= 1)) _; last by rewrite /= addnAC.
by rewrite -(cards1 p); apply: subset_leq_card; apply/subsetP=> z; rewrite !inE; case: (z == p) => //=; cases.
Qed.

Lemma adversary p q b : p < q * (k - l).+1 ->
  exists s cs, [/\ legal layer s, schedule k s cs & p * cost cs + b < q * cost_of A s].
Proof.
move=> less; pose N := p * k + b + q * l; pose m := (p * (N + k) + b).+1.
have := cost_by_rounds m; have := cost_by_phases (m * l); set T := m * l.
have [T' eT] : exists T', T = T'.+1 by rewrite /T mulSn; case: (l) l0 => // n _; exists (n + (p * (N + k) + b) * n.+1).
rewrite eT => phases_ rounds_.
have [y yU out] : exists2 y, y \in U & y \notin marks k (play T'.+1).
  apply/subsetPn; apply/negP=> /subset_leq_card; rewrite sizeU ltnNge => /negP; apply; exact: marks_size.
have [cs [sched _ cost_]] := offline yU out.
exists (play T'.+1), cs; split=> //; first exact: play_legal.
move: (cost cs) cost_ (cost_of _ _) phases_ rounds_ => opt opt_ alg; rewrite /m.
move: (ended _ _) (#|marks _ _|) (#|stale _|) opt_ => n a c opt_ phases_ rounds_.
have q0 : 0 < q by case: (q) less.
case: (leqP n N) => [few|many].
  have: p * opt <= p * (N + k) by rewrite leq_mul2l; apply/orP; right; lia.
  have: 1 * alg <= q * alg by rewrite leq_mul2r q0 orbT.
  by lia.
have: p * opt <= p * (n + k) by rewrite leq_mul2l opt_ orbT.
have: q * (k - l).+1 * n <= q * (alg + l) by rewrite -mulnA leq_mul2l; apply/orP; right; lia.
have: p.+1 * n <= q * (k - l).+1 * n by rewrite leq_mul2r less orbT.
by move: (q * _ * n) many => X; rewrite /N !mulnDr mulSn; lia.
Qed.

End Adversary.

(** A set of pages can be made larger, one by one, as long as there are pages. *)
Lemma grow (P : finType) (S : {set P}) n : #|S| <= n -> n <= #|P| -> exists2 U : {set P}, S \subset U & #|U| = n.
Proof.
elim: n => [|n ih]; first by rewrite leqn0 => /eqP e _; exists S.
rewrite leq_eqVlt => /orP[/eqP e _|lt le]; first by exists S.
have [U SU size_U] := ih lt (ltnW le).
have [p out] : exists p, p \notin U.
  by have := cardsC U; rewrite size_U -cardsT => e; have /set0Pn[p] : ~: U != set0;
     [rewrite -card_gt0; move: le e; rewrite cardsT; lia|rewrite inE; exists p].
exists (p |: U); last by rewrite cardsU1 out size_U.
exact: subset_trans SU (subsetUr _ _).
Qed.

Section Statement.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat).
Hypotheses (no_empty_layer : forall j, exists p, layer p = j) (lk : l <= k) (few : k < #|P|).

(** For every algorithm, ratio [p/q] below [k - l + 1] and additive constant there are a legal sequence and a
    schedule for it that refute them. *)
Theorem L2_refuted A p q b : valid layer k A -> p < q * (k - l + 1) ->
  exists s cs, [/\ legal layer s, schedule k s cs & p * cost cs + b < q * cost_of A s].
Proof.
rewrite addn1 => ok less.
have l0 : 0 < l by have /card_gt0P[x _] : 0 < #|P| by [exact: leq_ltn_trans few]; case: (l) (layer x) => // -[].
have nonempty j : exists p, layer p == j by have [x <-] := no_empty_layer j; exists x.
pose home j := xchoose (nonempty j).
have layer_home j : layer (home j) = j by apply/eqP/(xchooseP (nonempty j)).
have [U homeU sizeU] : exists2 U : {set P}, [set home j | j : 'I_l] \subset U & #|U| = k.+1.
  by apply: grow few; apply: leq_trans (leq_imset_card _ _) _; rewrite card_ord; apply: leqW.
apply: (adversary (home := home) (U := U)) => // j.
by apply: (subsetP homeU); apply: imset_f.
Qed.

Theorem L2 A : valid layer k A -> ratio_at_least layer k A (k - l + 1) 1.
Proof.
move=> ok p q b _; rewrite muln1 mulnC => less comp.
have [s [cs [leg sched]]] := L2_refuted b ok less.
by rewrite ltnNge (comp s cs leg sched).
Qed.

End Statement.

(** Sleator and Tarjan: with one layer the bound is [k]. *)
Corollary sleator_tarjan_lower (P : finType) (layer : P -> 'I_1) k A :
  0 < k -> k < #|P| -> valid layer k A -> ratio_at_least layer k A k 1.
Proof.
move=> k0 few ok; have := @L2 P 1 layer k; rewrite subnK //; apply=> // j.
by have /card_gt0P[x _] : 0 < #|P| by [exact: leq_ltn_trans few]; exists x; rewrite !ord1.
Qed.
