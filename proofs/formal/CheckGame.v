(** * A checker of the type [game]

    The best ratio of any deterministic algorithm, from below and from above. A state says which pages are cached, and OPT's
    labels. From below one request is listed for every state, and whatever page a lazy algorithm evicts, a listed state
    must come out and the potential must pay; a move that costs neither side anything leads to fewer steps. From above a
    victim is listed for every state and request. *)

From Formal Require Export Lazy States.

Record game := Game {
  gam_instance : instance;
  gam_opt_slots : N;
  gam_lower : option (N * N); (* numerator and denominator *)
  gam_upper : option (N * N)
}.

(** A page that leaves: in which part of the state it is, counted from the one served, and its labels. *)
Definition victim : Type := nat * code.

Record game_evidence := GameEvidence {
  gam_turning : bool; (* the layers are alike *)
  gam_adversary : seq entry; (* states; and by their places: *)
  gam_requests : PM.t code; (* what is requested *)
  gam_steps : PM.t N;
  gam_player : seq entry;
  gam_victims : PM.t (seq (code * option victim)) (* what leaves, for every page that may be requested *)
}.

(** ** Moves *)

(** A request loads the page; nothing leaves. *)
Definition keep : rule := Rule nothing (fun _ _ _ => 1%num) (fun _ _ _ x => x).

Definition has_code (c : code) (s : part) : bool := has (code_eq c) s.

Fixpoint evict (ps : seq part) (i : nat) (d : code) : option (seq part) :=
  match ps, i with
  | s :: ps', 0 => if has_code d s then Some (((0%num, d.2) :: without d s) :: ps') else None
  | s :: ps', i'.+1 => if evict ps' i' d is Some qs then Some (s :: qs) else None
  | [::], _ => None
  end.

Definition is_cached (c : code) : bool := ~~ N.eqb c.1 0%num.

(** All pages that may leave; of like ones one. *)
Definition victims (ps : seq part) : seq victim :=
  flatten [seq [seq (i, d) | d <- distinct (nth [::] ps i) & is_cached d] | i <- iota 0 (size ps)].

Section Check.

Variables (I : instance) (h p q : N) (turning : bool) (table : tree entry).

(** Where a request leads, after somebody has left. *)
Definition lead (c : code) (j : N) (ps : seq part) : option entry :=
  if ps is p0 :: rest then
    find_state table (requested I keep h 0%num (full_parts h ps) c p0 rest) (served_next I turning j)
  else None.

Definition room (ps : seq part) (c : code) : bool := is_cached c || N.ltb (count_cached (labels_of ps)) (slots I).

(** No state has more cached pages than slots. *)
Definition small (ps : seq part) : bool := N.leb (count_cached (labels_of ps)) (slots I).

Definition pays (c : code) : Z := if N.eqb c.2 0%num then Z.of_N p else 0%Z.
Definition faults (c : code) : Z := if N.eqb c.1 0%num then Z.of_N q else 0%Z.

(** *** From below *)

Variables (requests : PM.t code) (steps : PM.t N).

Definition steps_of (e : entry) : N := if PM.find (place e) steps is Some n then n else 0%num.

Definition forces (e : entry) (c : code) (ps : seq part) : bool :=
  if lead c (served e) ps is Some e' then
    Z.leb (Z.add (phi e) (pays c)) (Z.add (phi e') (faults c)) &&
    ((N.eqb c.1 0%num || N.eqb c.2 0%num) || N.ltb (steps_of e') (steps_of e))
  else false.

Definition check_ask (e : entry) : bool :=
  if PM.find (place e) requests is Some c then
    [&& small (parts e), has_code c (head [::] (parts e)) &
      if room (parts e) c then forces e c (parts e)
      else all (fun v => if evict (parts e) v.1 v.2 is Some ps then forces e c ps else false) (victims (parts e))]
  else false.

(** *** From above *)

Variable leaving : PM.t (seq (code * option victim)).

Fixpoint answer (c : code) (vs : seq (code * option victim)) : option victim :=
  if vs is (d, v) :: vs' then if code_eq c d then v else answer c vs' else None.

Definition victim_of (e : entry) (c : code) : option victim :=
  if PM.find (place e) leaving is Some vs then answer c vs else None.

Definition left_with (e : entry) (c : code) : option (seq part) :=
  if room (parts e) c then if victim_of e c is None then Some (parts e) else None
  else if victim_of e c is Some (i, d) then if is_cached d then evict (parts e) i d else None else None.

Definition target (e : entry) (c : code) : option entry :=
  if left_with e c is Some ps then lead c (served e) ps else None.

Definition check_answers (e : entry) : bool :=
  small (parts e) &&
  all (fun c => if target e c is Some e' then Z.leb (Z.add (phi e') (faults c)) (Z.add (phi e) (pays c)) else false)
    (distinct (head [::] (parts e))).

End Check.

(** No state is listed twice, which is no part of the proof. *)
Definition once (table : tree entry) (e : entry) : bool :=
  if find_state table (parts e) (served e) is Some d then Pos.eqb (place d) (place e) else false.

Definition check_side (I : instance) (es : seq entry) (ok : tree entry -> entry -> bool) : bool :=
  let table := plant path_of es in
  (if find_state table (cold I) 0%num is Some _ then true else false) &&
  all (fun e => once table e && ok table e) es.

Definition check_game (c : game) (e : game_evidence) : bool :=
  let I := gam_instance c in let h := gam_opt_slots c in
  [&& N.ltb 0%num h, N.ltb 0%num (slots I), N.ltb 0%num (page_count I),
      (if gam_lower c is Some (p, q) then
         check_side I (gam_adversary e) (fun table =>
           check_ask I h p q (gam_turning e) table (gam_requests e) (gam_steps e))
       else true) &
      (if gam_upper c is Some (p, q) then
         N.ltb 0%num q && check_side I (gam_player e) (fun table =>
           check_answers I h p q (gam_turning e) table (gam_victims e))
       else true)].

(** ** Soundness *)

Lemma has_codeP c s : has_code c s = (c \in s).
Proof. by rewrite /has_code; elim: s => //= d s ->; rewrite in_cons code_eqP. Qed.

Lemma distinct_mem c s : c \in distinct s -> c \in s.
Proof.
elim: s => //= d [|e s] ih; first by rewrite inE.
rewrite [_ \in d :: _]in_cons; case: ifP => _; first by move/ih->; rewrite orbT.
by rewrite in_cons => /orP[->//|/ih->]; rewrite orbT.
Qed.

Section Evict.

Variables (I : instance) (z z' : P I -> code) (v : P I).
Hypothesis z'E : forall q, z' q = if q == v then (0%num, (z v).2) else z q.

Lemma evict_parts js ps i : uniq js -> i < size js -> nth 0 js i = layer v -> all2 perm_eq ps [seq part_of z j | j <- js] ->
  exists2 qs, evict ps i (z v) = Some qs & all2 perm_eq qs [seq part_of z' j | j <- js].
Proof.
have z'E' q : z' q = if q == v then (0%num, (z v).2) else id (z q) by [].
have here : layer v = layer v %% layers I :> nat by rewrite modn_small.
elim: js ps i => [|j js ih] [|s ps] [|i] //= /andP[js0 uj] lt at_ /andP[eq eqs].
  have [|in0 eq'] := @part_here _ z z' _ _ _ id here z'E' s; first by rewrite -here -at_.
  rewrite has_codeP in0; eexists; first by [].
  rewrite /= map_id -here -at_ in eq' *; rewrite eq' /=.
  rewrite (_ : [seq part_of z' b | b <- js] = [seq part_of z b | b <- js]) //.
  apply/eq_in_map=> b bj; rewrite (@part_elsewhere _ z z' _ _ _ id here z'E') ?map_id // -here -at_.
  by apply: contraNneq js0 => <-.
have [qs -> ok] := ih ps i uj lt at_ eqs; eexists; first by []; rewrite /= ok andbT.
apply: perm_trans eq _; rewrite (@part_elsewhere _ z z' _ _ _ id here z'E') ?map_id // -here -at_.
by apply: contraNneq js0 => ->; rewrite mem_nth.
Qed.

Lemma turns t : uniq [seq (t + i) %% layers I | i <- iota 0 (layers I)].
Proof.
rewrite map_inj_in_uniq ?iota_uniq // => a b; rewrite !mem_iota /= => lta ltb /eqP.
by rewrite eqn_modDl !modn_small // => /eqP.
Qed.

Lemma like_evict ps t i : like ps z t -> layer v = (t + i) %% layers I :> nat -> i < layers I ->
  exists2 qs, evict ps i (z v) = Some qs & like qs z' t.
Proof.
rewrite /like /parts_of => eq at_ lt; set js := [seq (t + i) %% layers I | i <- iota 0 (layers I)].
have [||||qs e ok] := @evict_parts js ps i; rewrite ?turns // ?size_map ?size_iota //.
- by rewrite (nth_map 0) ?size_iota // nth_iota.
- by rewrite /js -map_comp.
by exists qs => //; rewrite /js -map_comp in ok.
Qed.

End Evict.

Lemma like_part I (z : P I -> code) ps t i : like ps z t -> i < layers I ->
  size ps = layers I /\ perm_eq (nth [::] ps i) (part_of z ((t + i) %% layers I)).
Proof.
rewrite /like all2E => /andP[/eqP]; rewrite size_map size_iota => size_ps /all_nthP-/(_ ([::], [::]) i) eq lt.
split=> //; move: eq; rewrite size_zip size_map size_iota size_ps minnn => /(_ lt).
by rewrite nth_zip ?size_map ?size_iota //= (nth_map 0) ?size_iota // nth_iota.
Qed.

(** Who is evicted is some page. *)
Lemma evicted_page I (z : P I -> code) ps t i d qs : like ps z t -> evict ps i d = Some qs ->
  i < layers I /\ exists2 v : P I, layer v = (t + i) %% layers I :> nat & z v = d.
Proof.
move=> eq ev; have [lt in_i] : i < size ps /\ d \in nth [::] ps i.
  elim: ps i qs {eq} ev => [|s ps ih] [|i] qs //=; first by rewrite has_codeP; case: ifP.
  by case ev : evict => [r|] // _; apply: ih ev.
have [size_ps _] := like_part eq (isT : 0 < layers I); rewrite size_ps in lt; have [_ part_i] := like_part eq lt.
split=> //; move: in_i; rewrite (perm_mem part_i) => /mapP[v]; rewrite mem_filter => /andP[/eqP at_ _] ->.
by exists v.
Qed.

Section Sound.

Variables (I : instance) (h p q : N) (turning : bool) (table : tree entry).
Hypotheses (h0 : N.ltb 0%num h) (k0 : N.ltb 0%num (slots I)) (some : N.ltb 0%num (page_count I)).

Let k := N.to_nat (slots I).

Implicit Types (C : {set P I}) (y : labels I).

Definition bit C : labels I := [ffun a => if a \in C then 1%num else 0%num].

Lemma bit0 C a : N.eqb (bit C a) 0%num = (a \notin C).
Proof. by rewrite ffunE; case: (a \in C). Qed.

Lemma bit_start : bit set0 = no_labels I.
Proof. by apply/ffunP=> a; rewrite !ffunE inE. Qed.

Lemma bit_keep C a : serve keep (bit C) a = bit (a |: C).
Proof. by apply/ffunP=> b; rewrite !ffunE !inE; case: (b == a). Qed.

Lemma bit_evict C y v b : v \in C -> both (bit (C :\ v)) y b = if b == v then (0%num, (both (bit C) y v).2) else both (bit C) y b.
Proof. by move=> vC; rewrite /both !ffunE !inE; case: (eqVneq b v) => [->|]. Qed.

Lemma cached_bit C : cached (bit C) = C.
Proof. by apply/setP=> a; rewrite !inE ffunE; case: (a \in C). Qed.

Lemma count_bit ps C y t : like ps (both (bit C) y) t -> N.to_nat (count_cached (labels_of ps)) = #|C|.
Proof. by move=> lk; rewrite (count_cached_perm (fst_perm lk)) -count_cachedE cached_bit. Qed.

Let stands (e : entry) C y t := @stands I turning entry parts served table e (bit C) y t.

Lemma stands_lead ps C y t a j e : like ps (both (bit C) y) t -> layer a = t %% layers I :> nat -> j = turn I turning t ->
  lead I h turning table (both (bit C) y a) j ps = Some e -> stands e (a |: C) (relabel h y a) t.+1.
Proof.
case: ps => [|p0 rest] // lk here -> found; rewrite /stands -bit_keep; have [in_e parts_e served_e] := find_stateP found.
by apply: (stands_next lk here in_e served_e); rewrite parts_e (full_partsE h lk).
Qed.

Lemma roomE ps C y t a : like ps (both (bit C) y) t ->
  room I ps (both (bit C) y a) = (a \in C) || (#|C| < k).
Proof. by move=> lk; rewrite /room /is_cached /both bit0 negbK ltbN (count_bit lk). Qed.

Lemma smallE ps C y t : like ps (both (bit C) y) t -> small I ps = (#|C| <= k).
Proof. by move=> lk; rewrite /small -(count_bit lk) /k; move: (count_cached _) => n; apply/N.leb_spec0/idP; lia. Qed.

(** Whoever is cached is among those who may leave. *)
Lemma evicting ps C y t v : v \in C -> like ps (both (bit C) y) t -> exists2 w, w \in victims ps &
  exists2 qs, evict ps w.1 w.2 = Some qs & like qs (both (bit (C :\ v)) y) t.
Proof.
move=> vC lk; have lt := ltn_pmod t (isT : 0 < layers I).
pose i := (layer v + (layers I - t %% layers I)) %% layers I.
have lti : i < layers I by rewrite ltn_pmod.
have at_ : layer v = (t + i) %% layers I :> nat.
  by rewrite modnDmr -modnDml addnCA subnKC; [rewrite modnDr modn_small|exact: ltnW].
exists (i, both (bit C) y v); last by apply: like_evict lk at_ lti => b; apply: bit_evict.
have [size_ps part_i] := like_part lk lti; apply/flattenP; exists [seq (i, d) | d <- distinct (nth [::] ps i) & is_cached d].
  by apply: map_f; rewrite mem_iota add0n size_ps.
rewrite map_f // mem_filter /is_cached /both /= bit0 vC mem_distinct // (perm_mem part_i).
by apply: map_f; rewrite mem_filter at_ eqxx mem_enum.
Qed.

(** *** From below *)

Section Lower.

Variables (requests : PM.t code) (steps : PM.t N).
Hypothesis all_ok : forall e, inside table e -> check_ask I h p q turning table requests steps e.
Variable e0 : entry.
Hypothesis start : find_state table (cold I) 0%num = Some e0.

Variable L : algorithm (P I).
Hypothesis lz : lazy (@layer I) k L.

Let paid s := @paid_so_far I h s.
Let steps_of := steps_of steps.

Definition playing s e := [/\ legal (@layer I) s, stands e (L s) (labels_after h s) (size s) &
  Z.le (Z.add (Z.mul (Z.of_N p) (Z.of_nat (paid s))) (phi e0)) (Z.add (Z.mul (Z.of_N q) (Z.of_nat (cost_of L s))) (phi e))].

Lemma playing_start : playing [::] e0.
Proof.
split; [exact: legal_nil| |by rewrite /cost_of /paid /paid_so_far /=; lia].
by by have [? ? ?] := find_stateP start; rewrite /stands lz.1 bit_start; apply: stands_start.
Qed.

Lemma playing_next s e : playing s e -> exists a e', playing (rcons s a) e' /\
  (cost_of L s + paid s < cost_of L (rcons s a) + paid (rcons s a) \/
   cost_of L s + paid s = cost_of L (rcons s a) + paid (rcons s a) /\ N.lt (steps_of e') (steps_of e)).
Proof.
case=> leg [in_e lk served_e] le; have := all_ok in_e; rewrite /check_ask.
case: PM.find => [c|] // /and3P[_ in0 forced].
have [a here ca] : exists2 a : P I, layer a = size s %% layers I :> nat & c = both (bit (L s)) (labels_after h s) a.
  case eq : (parts e) in0 lk => [//|p0 rest] /= in0; rewrite has_codeP in in0.
  rewrite /like parts_of_first /= => /andP[/perm_mem eq0 _]; move: in0; rewrite eq0 => /mapP[a].
  by rewrite mem_filter => /andP[/eqP at_ _] ->; exists a.
have leg' : legal (@layer I) (rcons s a) by apply/legal_rcons.
have st := lz.2 s a leg'; rewrite ca in forced; exists a.
have [qs [C' [e' [lk' eqL lead_]]]] : exists qs C' e', [/\ like qs (both (bit C') (labels_after h s)) (size s),
    L (rcons s a) = a |: C' /\ bit C' a = bit (L s) a &
    lead I h turning table (both (bit (L s)) (labels_after h s) a) (served e) qs = Some e' /\
    forces I h p q turning table steps e (both (bit (L s)) (labels_after h s) a) qs].
  move: forced; rewrite (roomE a lk); case: st => [hit|out lt|v out full vC].
  - rewrite hit /= => ok; exists (parts e), (L s); move: (ok); rewrite /forces; case: lead => // e' holds; exists e'.
    by split=> //; split=> //; apply/esym/setUidPr; rewrite sub1set.
  - rewrite (negbTE out) lt /= => ok; exists (parts e), (L s); move: (ok); rewrite /forces; case: lead => // e' holds.
    by exists e'.
  rewrite (negbTE out) full ltnn /= => /allP ok.
  have [w /ok ok' [qs ev lk']] := evicting vC lk; move: ok'.
  rewrite ev => ok'; exists qs, (L s :\ v); move: (ok'); rewrite /forces; case: lead => // e' holds; exists e'.
  split=> //; split=> //; rewrite !ffunE !inE (negbTE out) andbF.
  by [].
have [sameL same_a] := eqL; have [lead1 forced'] := lead_.
have step_cost : cost_of L (rcons s a) = cost_of L s + (a \notin L s).
  by rewrite (cost_of_rcons_cold lz.1) (lazy_loads st).
have step_paid : paid (rcons s a) = paid s + N.eqb (labels_after h s a) 0%num.
  by rewrite /paid paid_so_far_rcons /increment; case: ifP.
exists e'; split.
  split=> //.
    rewrite sameL labels_after_rcons size_rcons; apply: stands_lead lk' here served_e _.
    by rewrite /both same_a.
  move: forced'; rewrite /forces lead1 => /andP[/Z.leb_le le' _]; move: le le'; rewrite step_cost step_paid /pays /faults /both /= bit0.
  move: (phi e) (phi e') (phi e0) (cost_of L s) (paid s) => f f' f0 A B; clear.
  by case: (a \notin L s); case: N.eqb => /=; lia.
move: forced'; rewrite /forces lead1 step_cost step_paid /both /= bit0 => /andP[_].
clear -le; case: (a \notin L s) => /=; first by move=> _; left; case: N.eqb => /=; lia.
case: N.eqb => /=; first by move=> _; left; lia.
by move/N.ltb_lt; right; split=> //; lia.
Qed.

Lemma playing_far n : exists s e, playing s e /\ n <= cost_of L s + paid s.
Proof.
elim: n => [|n [s [e [play le]]]]; first by exists [::], e0; split=> //; apply: playing_start.
suff [s' [e' [play' lt]]] : exists s' e', playing s' e' /\ cost_of L s + paid s < cost_of L s' + paid s'.
  by exists s', e'; split=> //; apply: leq_ltn_trans le lt.
have [m] : exists m, N.to_nat (steps_of e) < m by exists (N.to_nat (steps_of e)).+1.
elim: m s e play {le} => // m ih s e play lt; have [a [e' [play' [more|[same fewer]]]]] := playing_next play.
  by exists (rcons s a), e'.
have [|s' [e'' [play'' more]]] := ih _ _ play'; first by move: fewer lt; clear; lia.
by exists s', e''; split=> //; rewrite same.
Qed.

End Lower.

(** *** From above *)

Section Upper.

Variable leaving : PM.t (seq (code * option victim)).
Hypothesis all_ok : forall e, inside table e -> check_answers I h p q turning table leaving e.
Variable e0 : entry.
Hypothesis start : find_state table (cold I) 0%num = Some e0.

(** The algorithm remembers its cache, OPT's labels and the listed state that stands for them. *)
Definition memo : Type := ({set P I} * labels I * entry)%type.

Definition leaves_of (now : memo) (a : P I) : {set P I} :=
  let: (C, y, e) := now in
  if victim_of leaving e (both (bit C) y a) is Some (i, d) then
    if [pick v | (layer v == (layer a + i) %% layers I :> nat) && (both (bit C) y v == d)] is Some v then C :\ v else C
  else C.

Definition reply (now : memo) (a : P I) : memo :=
  let: (C, y, e) := now in
  (a |: leaves_of now a, relabel h y a,
   if target I h turning table leaving e (both (bit C) y a) is Some e' then e' else e).

Definition memo0 : memo := (set0, no_labels I, e0).
Definition answering : algorithm (P I) := machine memo0 reply (fun now => now.1.1).

Lemma reply_ok C y e t a C' y' e' : stands e C y t -> layer a = t %% layers I :> nat -> reply (C, y, e) a = (C', y', e') ->
  [/\ stands e' C' y' t.+1, y' = relabel h y a, loads C C' = (a \notin C) &
    Z.le (Z.add (phi e') (if a \in C then 0%Z else Z.of_N q)) (Z.add (phi e) (if N.eqb (y a) 0%num then Z.of_N p else 0%Z))].
Proof.
case=> in_e lk served_e here; rewrite /reply; set c := both (bit C) y a; case=> <- <- <-.
have /andP[small_ /allP] := all_ok in_e.
have in_c : c \in distinct (head [::] (parts e)).
  have [_ eq] := like_part lk (isT : 0 < layers I); rewrite mem_distinct // (_ : head _ _ = nth [::] (parts e) 0).
    by rewrite (perm_mem eq) addn0; apply: map_f; rewrite mem_filter here eqxx mem_enum.
  by case: (parts e).
move=> /(_ c in_c); case goes : target => [e1|] // /Z.leb_le le.
have loads1 (E : {set P I}) : E \subset C -> (a \in C -> a \in E) -> loads C (a |: E) = (a \notin C).
  move=> sub hit; rewrite /loads; case: (boolP (a \in C)) => [aC|aC] /=.
    apply/eqP; rewrite cards_eq0; apply/eqP/setP=> b; rewrite !inE.
    case: (eqVneq b a) => [->|_] /=; first by rewrite aC.
    by case: (boolP (b \in E)) => [/(subsetP sub)->|]; rewrite ?andbF.
  rewrite (_ : _ :\: _ = [set a]) ?cards1 //; apply/setP=> b; rewrite !inE.
  case: (eqVneq b a) => [->|_] /=; first by rewrite aC.
  by case: (boolP (b \in E)) => [/(subsetP sub)->|]; rewrite ?andbF.
move: le; rewrite /faults /pays /c /both /= bit0 -/c => le.
have done (E : {set P I}) qs : E \subset C -> (a \in C -> a \in E) -> bit E a = bit C a -> like qs (both (bit E) y) t ->
    lead I h turning table c (served e) qs = Some e1 -> [/\ stands e1 (a |: E) (relabel h y a) t.+1, relabel h y a = relabel h y a,
      loads C (a |: E) = (a \notin C) &
      Z.le (Z.add (phi e1) (if a \in C then 0%Z else Z.of_N q)) (Z.add (phi e) (if N.eqb (y a) 0%num then Z.of_N p else 0%Z))].
  move=> sub hit same lk' found; split=> //; last by move: le; case: (a \in C).
    by apply: stands_lead lk' here served_e _; rewrite /both same.
  exact: loads1.
move: goes; rewrite /target /left_with (roomE a lk) /leaves_of -/c.
case: ifP => [_|full].
  by case: victim_of => // found; apply: (done C (parts e)).
case: victim_of => // -[i d]; rewrite /is_cached; case: ifP => // d1; case ev : evict => [qs|] // found.
have [lti [v at_ vd]] := evicted_page lk ev.
have eq_layer b : (layer b == (layer a + i) %% layers I :> nat) = (layer b == (t + i) %% layers I :> nat) by rewrite here modnDml.
case: pickP => [u|none]; last by move: (none v); rewrite eq_layer at_ -[(_, _)]/(both (bit C) y v) vd !eqxx.
rewrite eq_layer => /andP[/eqP at_u /eqP ud]; rewrite -[(_, _)]/(both (bit C) y u) in ud.
have uC : u \in C by move: d1; rewrite -ud /both /= bit0 negbK.
have aC : a \notin C by move/negbT: full; rewrite negb_or => /andP[].
have [qs' ev' lk'] := like_evict (fun b => bit_evict y b uC) lk at_u lti.
rewrite ud ev in ev'; case: ev' => ev'; rewrite -ev' in lk'.
apply: (done (C :\ u) qs) => //; first exact: subsetDl; first by rewrite (negbTE aC).
by rewrite !ffunE !inE (negbTE aC) andbF.
Qed.

Lemma answering_run s : legal (@layer I) s -> let: (C, y, e) := memory memo0 reply s in
  [/\ stands e C y (size s), y = labels_after h s &
    Z.le (Z.add (Z.mul (Z.of_N q) (Z.of_nat (cost_of answering s))) (phi e))
      (Z.add (Z.mul (Z.of_N p) (Z.of_nat (@paid_so_far I h s))) (phi e0))].
Proof.
elim/last_ind: s => [|s a ih] leg.
  rewrite /memory /=; split=> //; last by rewrite /paid_so_far /cost_of /run /=; lia.
  by have [? ? ?] := find_stateP start; rewrite /stands bit_start; apply: stands_start.
have [leg' here] := (legal_rcons (@layer I) s a).1 leg; move: (ih leg').
have := @machine_step _ _ memo0 reply (fun now : memo => now.1.1) erefl s a; rewrite -/answering memory_rcons /online.
case: (memory memo0 reply s) => [[C y] e] step_ [st yE le].
move: step_; case next_ : (reply _ _) => [[C' y'] e'] /= step_; have [st' y'E loads_ le'] := reply_ok st here next_.
rewrite size_rcons y'E yE labels_after_rcons -yE -y'E; split=> //.
rewrite step_ loads_ paid_so_far_rcons /increment -yE; move: le le'; clear.
move: (phi e) (phi e') (phi e0) (cost_of _ _) (paid_so_far _ _) => f f' f0 A B.
by case: (a \in C); case: N.eqb => /=; nia.
Qed.

End Upper.

End Sound.

(** ** The checker *)

Lemma check_sideP I es ok : check_side I es ok ->
  (forall e, inside (plant path_of es) e -> ok (plant path_of es) e) /\ exists e0, find_state (plant path_of es) (cold I) 0%num = Some e0.
Proof.
case/andP; case: find_state => // e0 _ every; split; last by exists e0.
have gen (T : tree entry) (ds : seq entry) : all (fun e => once T e && ok T e) ds -> forall d, List.In d ds -> ok T d.
  by elim: ds => //= d ds ih /andP[/andP[_ okd] /ih{}ih] x [<-|/ih].
by move=> d in_d; apply: (gen _ _ every); apply: inside_list in_d.
Qed.

Lemma phi_bound es : exists M, forall e, List.In e es -> Z.le (Z.abs (phi e)) M.
Proof.
elim: es => [|d es [M ih]]; first by exists 0%Z.
exists (Z.max (Z.abs (phi d)) M) => e [->|/ih]; lia.
Qed.

(** What a play can cost at most if a smaller ratio [p'/q'] were possible. *)
Lemma play_bound (p q p' q' b m a o : nat) : p * o <= q * a + m -> q' * a <= p' * o + b -> p' * q < p * q' ->
  a + o <= (p' * m + p * b) + (q * (p' * m + p * b) + m).
Proof.
move=> play comp less; have p0 : 0 < p by case: (p) less.
have a_le : a <= p' * m + p * b.
  have h1 : p * (q' * a) <= p * (p' * o + b) by rewrite leq_mul2l comp orbT.
  have h2 : p' * (p * o) <= p' * (q * a + m) by rewrite leq_mul2l play orbT.
  have h3 : (p' * q).+1 * a <= p * q' * a by rewrite leq_mul2r less orbT.
  move: h1 h2 h3; rewrite !mulnDr mulSn !mulnA (mulnC p p').
  move: (p' * q * a) (p * q' * a) (p' * p * o) (p' * m) (p * b) => x y z u v; lia.
apply: leq_add => //; apply: leq_trans (_ : p * o <= _); first by rewrite leq_pmull.
by apply: leq_trans play _; rewrite leq_add2r leq_mul2l a_le orbT.
Qed.

(** No deterministic algorithm has a ratio below [lower]; some one has at most [upper]. *)
Theorem check_game_sound c e : check_game c e ->
  let I := gam_instance c in let h := N.to_nat (gam_opt_slots c) in let k := N.to_nat (slots I) in
  (forall p q, gam_lower c = Some (p, q) -> forall A, valid (@layer I) k A ->
     ratio_at_least (@layer I) h A (N.to_nat p) (N.to_nat q)) /\
  (forall p q, gam_upper c = Some (p, q) -> exists2 A, valid (@layer I) k A &
     exists b, competitive (@layer I) h A (N.to_nat p) (N.to_nat q) b).
Proof.
rewrite /check_game; set I := gam_instance c; set hN := gam_opt_slots c.
case/and5P=> h0 k0 some low up /=.
have h1 : 0 < N.to_nat hN by move: h0; rewrite ltbN.
have k1 : 0 < N.to_nat (slots I) by move: k0; rewrite ltbN.
split=> p q eq.
  rewrite eq in low => A ok p' q' b q0 less comp.
  have [all_ok [e0 start]] := check_sideP low; have [M bound] := phi_bound (gam_adversary e).
  have [L lz compL] := lazy_competitive k1 ok comp.
  have [s [d [[leg st le] far]]] := playing_far h0 k0 some all_ok start lz
    ((p' * Z.to_nat (M + M) + N.to_nat p * b) + (N.to_nat q * (p' * Z.to_nat (M + M) + N.to_nat p * b) + Z.to_nat (M + M))).+1.
  have [cs sched cost_] := opt_attained h1 s; have := compL s cs leg sched; rewrite cost_ -labels_opt // => comp_s.
  have [in0 _ _] := find_stateP start; have b1 := bound _ (inside_list in0); have [in_d _ _] := st; have b2 := bound _ (inside_list in_d).
  have play : N.to_nat p * @paid_so_far I hN s <= N.to_nat q * cost_of L s + Z.to_nat (M + M).
    move: le b1 b2; move: (phi e0) (phi d) (cost_of L s) (paid_so_far _ _) => f f' x y; clear.
    rewrite -!N_nat_Z -!Nat2Z.inj_mul !multE; move: (N.to_nat p * y) (N.to_nat q * x) => u v; lia.
  by have := play_bound play comp_s less; rewrite leqNgt far.
rewrite eq in up; case/andP: up => q0 /check_sideP[all_ok [e0 start]]; have [M bound] := phi_bound (gam_player e).
set A := @answering I hN (gam_turning e) (plant path_of (gam_player e)) (gam_victims e) e0.
have run := answering_run h0 k0 some all_ok start; exists A.
  split=> // s a leg; have := run _ leg; rewrite /A /answering /machine; case eqm : (memory _ _ _) => [[C y] d] [[in_d lk _] _ _] /=.
  have /andP[small_ _] := all_ok _ in_d; rewrite (smallE h0 k0 some lk) in small_; split=> //.
  by move: eqm; rewrite memory_rcons /reply; case: (memory _ _ _) => [[C1 y1] d1] [<- _ _]; rewrite !inE eqxx.
exists (Z.to_nat (M + M)) => s cs leg sched; have := run _ leg; case: (memory _ _ _) => [[C y] d] [[in_d _ _] _ le].
have [in0 _ _] := find_stateP start; have b1 := bound _ (inside_list in0); have b2 := bound _ (inside_list in_d).
apply: leq_trans (_ : N.to_nat p * @paid_so_far I hN s + Z.to_nat (M + M) <= _); last first.
  by rewrite leq_add2r leq_mul2l labels_opt // opt_least ?orbT.
move: le b1 b2; rewrite -/A; move: (phi e0) (phi d) (cost_of A s) (paid_so_far _ _) => f f' x z; clear.
rewrite -!N_nat_Z -!Nat2Z.inj_mul !multE; move: (N.to_nat p * z) (N.to_nat q * x) => u v; lia.
Qed.
