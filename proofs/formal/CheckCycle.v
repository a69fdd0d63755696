(** * A checker of the type [cycle]

    The rule of the policy is followed through prefix and cycle, and a schedule for some rounds of the cycle is carried
    out; both must return. *)

From Formal Require Export Rules.

Record cycle := Cycle {
  cyc_instance : instance;
  cyc_policy : name;
  cyc_opt_slots : N;
  cyc_prefix : seq N;
  cyc_round : seq N;
  cyc_online : N; (* faults of the policy and of OPT in a round *)
  cyc_offline : N;
  cyc_ratio : N * N (* numerator and denominator; 1 and 0: there is no ratio *)
}.

Record cycle_evidence := CycleEvidence {
  cyc_left : seq (seq N); (* request by request the pages that leave, in ascending order *)
  cyc_start : seq N; (* an offline cache *)
  cyc_periods : N;
  cyc_schedule : seq Z (* entries for so many rounds *)
}.

(** ** Following a rule *)

(** Pages and their labels. *)
Definition table := seq (N * N).

Fixpoint label_of (p : N) (m : table) : N :=
  if m is (q, x) :: m' then if N.eqb q p then x else label_of p m' else 0%num.

Definition follow (r : rule) (k : N) (m : table) (p : N) : table :=
  let s := summary r k [seq e.2 | e <- m] in let y := label_of p m in
  [seq (e.1, if N.eqb e.1 p then own r k s y else other r k s y e.2) | e <- m].

Fixpoint loaded (m m' : table) : N :=
  match m, m' with
  | (_, x) :: n, (_, x') :: n' => if N.eqb x 0%num && N.ltb 0%num x' then N.succ (loaded n n') else loaded n n'
  | _, _ => 0%num
  end.

Fixpoint left_ (m m' : table) : seq N :=
  match m, m' with
  | (p, x) :: n, (_, x') :: n' => if N.eqb x' 0%num && N.ltb 0%num x then p :: left_ n n' else left_ n n'
  | _, _ => [::]
  end.

Fixpoint same (a b : seq N) : bool :=
  match a, b with
  | [::], [::] => true
  | x :: a', y :: b' => N.eqb x y && same a' b'
  | _, _ => false
  end.

(** The table after some requests, what it cost, and the pages that are said to leave later. *)
Fixpoint follow_all r k (m : table) (faults : N) (rs : seq N) (gone : seq (seq N)) : option (table * N * seq (seq N)) :=
  match rs, gone with
  | [::], _ => Some (m, faults, gone)
  | p :: rs', g :: gone' =>
    let m' := follow r k m p in
    if same (left_ m m') g then follow_all r k m' (N.add faults (loaded m m')) rs' gone' else None
  | _, _ => None
  end.

Fixpoint same_labels (m m' : table) : bool :=
  match m, m' with
  | [::], [::] => true
  | (_, x) :: n, (_, x') :: n' => N.eqb x x' && same_labels n n'
  | _, _ => false
  end.

Section Follow.

Variables (I : instance) (r : rule).

Notation labels := (labels I).
Notation serve := (serve r).

Definition table_of (x : labels) : table := [seq (num q, x q) | q <- enum (P I)].

Lemma label_of_table (x : labels) q : label_of (num q) (table_of x) = x q.
Proof.
have : q \in enum (P I) by rewrite mem_enum.
rewrite /table_of; elim: (enum _) => //= a e ih; rewrite inE.
case: (eqVneq q a) => [->|ne] /=; first by rewrite N.eqb_refl.
by move=> qe; case: ifP => [/eqbN/num_inj eq|_]; [rewrite eq eqxx in ne|apply: ih].
Qed.

Lemma follow_table x q : follow r (slots I) (table_of x) (num q) = table_of (serve x q).
Proof.
have snds : [seq e.2 | e <- table_of x] = look x by rewrite /table_of -map_comp.
rewrite /follow label_of_table snds /table_of -map_comp; apply: eq_map => a /=; rewrite ffunE; congr (_, _).
case: (eqVneq a q) => [->|ne]; first by rewrite N.eqb_refl.
by case: ifP => // /eqbN/num_inj eq; rewrite eq eqxx in ne.
Qed.

Lemma loaded_table x x' : N.to_nat (loaded (table_of x) (table_of x')) = loads (cached x) (cached x').
Proof.
rewrite /loads cardE /enum_mem size_filter -enumT /table_of /=; elim: (enum _) => //= a e <-.
rewrite !inE (_ : ~~ N.ltb 0%num (x a) = N.eqb (x a) 0%num); last by rewrite N.ltb_antisym negbK; case: (x a).
by case: ifP => _; rewrite ?N2Nat.inj_succ.
Qed.

Lemma same_labels_table x x' : same_labels (table_of x) (table_of x') -> x = x'.
Proof.
move=> eq; apply/ffunP=> q; have : q \in enum (P I) by rewrite mem_enum.
move: eq; rewrite /table_of; elim: (enum _) => //= a e ih /andP[/eqbN ea /ih{}ih]; rewrite inE.
by case: (eqVneq q a) => [->|_ /ih].
Qed.

Lemma follow_allP x faults rs gone m f g : all (fun p => N.ltb p (page_count I)) rs ->
  follow_all r (slots I) (table_of x) faults rs gone = Some (m, f, g) ->
  let s := [seq page I p | p <- rs] in
  m = table_of (foldl serve x s) /\ N.to_nat f = N.to_nat faults + online_along serve (@cached I) x s.
Proof.
elim: rs x faults gone => [|p rs ih] x faults [|g0 gone] //=.
- by move=> _ [<- <- _]; rewrite addn0.
- by move=> _ [<- <- _]; rewrite addn0.
case/andP=> pI rsI; case: ifP => // _; rewrite -{1 2 3}(num_page pI) follow_table => /(ih _ _ _ rsI)[-> ->].
by rewrite num_page // addN loaded_table -addnA.
Qed.

End Follow.

Definition start_table (I : instance) : table := [seq (N.of_nat i, 0%num) | i <- iota 0 (N.to_nat (page_count I))].

Lemma start_tableE I : N.ltb 0%num (page_count I) -> start_table I = table_of (no_labels I).
Proof.
rewrite ltbN => pos; rewrite /table_of /start_table.
transitivity [seq (N.of_nat i, 0%num) | i <- map val (enum (P I))].
  by rewrite /P val_enum_ord prednK.
by rewrite -map_comp; apply: eq_map => q; rewrite /= ffunE.
Qed.

(** ** The checker *)

Fixpoint add_all (ps : seq N) (m : pageset) : pageset := if ps is p :: ps' then add_all ps' (put p m) else m.

Definition fits (small : N) (m : pageset) : bool := N.leb (N.of_nat (PM.cardinal m)) small.

Definition same_set (m m' : pageset) : bool := PM.equal (fun _ _ => true) m m'.

Definition repeat (n : N) (c : seq N) : seq N := N.iter n (fun rest => c ++ rest) [::].

Definition check_cycle (c : cycle) (e : cycle_evidence) : bool :=
  let I := cyc_instance c in let r := rule_of (cyc_policy c) in
  let: (p, q) := cyc_ratio c in let small := cyc_opt_slots c in
  let D := add_all (cyc_start e) (PM.empty unit) in
  [&& N.ltb 0%num small, legal_from I 0%num (cyc_prefix c ++ cyc_round c),
      N.ltb 0%num (N.of_nat (size (cyc_round c))),
      N.eqb (N.modulo (N.of_nat (size (cyc_round c))) (layersN I)) 0%num,
      (if follow_all r (slots I) (start_table I) 0%num (cyc_prefix c) (cyc_left e) is Some (m, _, later) then
         if follow_all r (slots I) m 0%num (cyc_round c) later is Some (m', online, [::])
         then N.eqb online (cyc_online c) && same_labels m' m else false
       else false),
      N.ltb 0%num (cyc_periods e), all (fun d => N.ltb d (page_count I)) (cyc_start e),
      N.eqb (N.of_nat (PM.cardinal D)) (N.of_nat (size (cyc_start e))),
      N.leb (N.of_nat (size (cyc_start e))) small,
      (if carry_out I D (N.sub small (N.of_nat (size (cyc_start e)))) 0%num
            (repeat (cyc_periods e) (cyc_round c)) (cyc_schedule e) is Some (D', faults)
       then same_set D' D && N.eqb faults (N.mul (cyc_periods e) (cyc_offline c)) else false),
      N.eqb (N.mul p (cyc_offline c)) (N.mul q (cyc_online c)) &
      if N.eqb q 0%num then N.ltb 0%num (cyc_online c) else N.ltb 0%num (cyc_offline c)].

Lemma same_setP I m m' : same_set m m' -> pages_in I m = pages_in I m'.
Proof.
move/PM.equal_2=> [eq _]; apply/setP=> q; rewrite !inE /holds.
by apply/idP/idP => /PM.mem_2/eq/PM.mem_1.
Qed.

Lemma pages_in_add_all I ps m : all (fun d => N.ltb d (page_count I)) ps ->
  pages_in I (add_all ps m) = [set q in [seq page I d | d <- ps]] :|: pages_in I m.
Proof.
elim: ps m => [|p ps ih] m /=; first by rewrite (_ : [set q in [::]] = set0) ?set0U //; apply/setP=> q; rewrite !inE.
case/andP=> pI /ih->; rewrite set_put //; apply/setP=> q; rewrite !inE.
by case: (eqVneq q _) => _; rewrite ?orbT.
Qed.

Lemma repeatE n c : repeat n c = flatten (nseq (N.to_nat n) c).
Proof.
by rewrite /repeat; elim/N.peano_ind: n => // n ih; rewrite N.iter_succ N2Nat.inj_succ /= ih.
Qed.

Lemma schedule_le (T : finType) k k' (s : seq T) cs : k <= k' -> schedule k s cs -> schedule k' s cs.
Proof.
move=> le; rewrite /schedule; elim: s cs => [|p s ih] [|C cs] //= /andP[/andP[-> size_C] /ih->].
by rewrite (leq_trans size_C le).
Qed.

Lemma same_ratio p q a b p' q' : p * b = q * a -> (if q == 0 then 0 < a else 0 < b) -> p' * q < p * q' ->
  p' * b < a * q'.
Proof.
case: (posnP q) => [->|q0] eq pos less.
  move: less; rewrite muln0 muln_gt0 => /andP[p0 q'0]; move/eqP: eq; rewrite mul0n muln_eq0 => /orP[|/eqP->].
    by move/eqP=> e; rewrite e in p0.
  by rewrite muln0 muln_gt0 pos.
rewrite -(ltn_pmul2l q0) mulnA [q * (a * q')]mulnA -eq (mulnC q) (mulnAC p).
by rewrite ltn_pmul2r.
Qed.

Lemma eqbN_nat a : (N.to_nat a == 0) = N.eqb a 0%num.
Proof. by case: a => //= p; apply/eqP; lia. Qed.

(** Requests of prefix and round are legal, and no competitive ratio of the policy is less than the one claimed. *)
Theorem check_cycle_sound c e : check_cycle c e ->
  let I := cyc_instance c in let s := [seq page I p | p <- cyc_prefix c ++ cyc_round c] in
  [/\ [seq num q | q <- s] = cyc_prefix c ++ cyc_round c, legal (@layer I) s &
    ratio_at_least (@layer I) (N.to_nat (cyc_opt_slots c)) (@policy I (rule_of (cyc_policy c)))
      (N.to_nat (cyc_ratio c).1) (N.to_nat (cyc_ratio c).2)].
Proof.
rewrite /check_cycle; case: (cyc_ratio c) => p q; set I := cyc_instance c; set r := rule_of _.
set D := add_all _ _; set h := cyc_opt_slots c.
case/and5P=> h0 leg round0 /eqbN rounds /and5P[follows n0 startI /eqbN size_D /andP[fits_D /and3P[returns /eqbN eq pos]]].
have [nums leg'] := legalP leg; split=> //=.
have range := legal_range leg; rewrite all_cat in range; case/andP: range => rangeu rangec.
move: follows; case eu : (follow_all _ _ (start_table _) _ _ _) => [[[m f] later]|] //.
case ec : (follow_all _ _ _ _ _ _) => [[[m' f'] [|? ?]]|] // /andP[/eqbN online same_m].
have some : N.ltb 0%num (page_count I).
  by case: (cyc_round c) rangec round0 => // d ? /andP[/N.ltb_lt lt _] _; apply/N.ltb_lt; clear -lt; lia.
rewrite start_tableE // in eu.
have [mu _] := follow_allP rangeu eu; rewrite {}mu {m eu} in ec same_m.
have [mc fc] := follow_allP rangec ec; rewrite {}mc in same_m; have {same_m} back := same_labels_table same_m.
move: returns; case run : carry_out => [[D' faults]|] // /andP[/(@same_setP I) D_back /eqbN faults_].
have inD : pages_in I D = [set q in [seq page I d | d <- cyc_start e]].
  by rewrite pages_in_add_all // pages_in_empty setU0.
have small_D : #|pages_in I D| <= size (cyc_start e).
  by rewrite inD cardsE (leq_trans (card_size _)) ?size_map.
have range_n : all (fun d => N.ltb d (page_count I)) (repeat (cyc_periods e) (cyc_round c)).
  by rewrite repeatE; elim: (N.to_nat _) => //= n ih; rewrite all_cat rangec.
have [cs [sched cost_ ends]] := carry_outP range_n erefl run.
rewrite repeatE map_flatten map_nseq in sched.
have le_h : #|pages_in I D| + N.to_nat (N.sub h (N.of_nat (size (cyc_start e)))) <= N.to_nat h.
  by move: small_D fits_D => le /N.leb_le; move: #|_| (size _) le => x y; clear; lia.
have {le_h} sched := schedule_le le_h sched.
rewrite map_cat in leg'; rewrite D_back in ends.
have round1 : layers I %| size [seq page I p | p <- cyc_round c].
  have l0 : layersN I <> 0%num by [].
  have := N.div_mod (N.of_nat (size (cyc_round c))) (layersN I) l0; rewrite rounds N.add_0_r => /(congr1 N.to_nat).
  by rewrite Nat2N.id mulN /layersN Nat2N.id size_map => ->; apply: dvdn_mulr.
have same_memory : memory (no_labels I) (serve r) ([seq page I p | p <- cyc_prefix c] ++ [seq page I p | p <- cyc_round c]) =
    memory (no_labels I) (serve r) [seq page I p | p <- cyc_prefix c].
  by rewrite /memory foldl_cat.
have n1 : 0 < N.to_nat (cyc_periods e) by move: n0; rewrite ltbN.
have costs : cost_from (pages_in I D) cs = N.to_nat (cyc_periods e) * N.to_nat (cyc_offline c).
  by rewrite -mulN -faults_ cost_.
have := @schedule_sound _ _ _ _ _ _ (serve r) _ (@policy_cold I) _ _ _ _ _ leg' round1 same_memory n1 sched ends
  _ _ _ erefl costs.
rewrite -[online_along _ _ _ _]fc online => /(_ _) ratio p' q' b q0 less; apply: ratio => //.
  by move: h0; rewrite ltbN.
apply: (@same_ratio _ _ _ _ _ _ _ _ less); first by rewrite -!mulN eq.
by move: pos; rewrite !ltbN /= -eqbN_nat.
Qed.
