(** * A checker of the type [potential]

    For every listed state and every request of it the rule of the policy and the rule of OPT's labels are carried out; it
    must lead to a listed state, and the potential must pay. Pages of a layer are alike to every rule; so are layers, if the
    certificate says so. Many states are made of few parts: parts are numbered, and what a request makes of a part is worked
    out once. *)

From Formal Require Export States.

Record potential := Potential {
  pot_instance : instance;
  pot_policy : name;
  pot_opt_slots : N;
  pot_ratio : N * N; (* numerator and denominator *)
  pot_additive : Z * Z
}.

(** A state: the numbers of its parts, from the layer served next on; the layer; its place in the list; its potential. *)
Record numbered := Numbered { numbers : seq positive; layer_of : N; number : positive; value : Z }.

Record potential_evidence := PotentialEvidence {
  pot_turning : bool; (* the layers are alike *)
  pot_parts : seq part; (* their numbers are 1, 2, ... *)
  pot_states : seq numbered
}.

(** ** Numbers of parts *)

Fixpoint bits_numbers (ns : seq positive) (rest : seq bool) : seq bool :=
  if ns is n :: ns' then bits_pos n (bits_numbers ns' rest) else rest.
Definition way_of_numbered (e : numbered) : seq bool := bits_numbers (numbers e) [::].

Fixpoint same_numbers (a b : seq positive) : bool :=
  match a, b with [::], [::] => true | m :: a', n :: b' => Pos.eqb m n && same_numbers a' b' | _, _ => false end.

Lemma same_numbersP a b : same_numbers a b -> a = b.
Proof. by elim: a b => [|m a ih] [|n b] //= /andP[/Pos.eqb_eq-> /ih->]. Qed.

Definition find_numbered (t : tree numbered) ns j : option numbered :=
  find_at t (bits_numbers ns [::]) (fun e => N.eqb (layer_of e) j && same_numbers (numbers e) ns).

Lemma find_numberedP t ns j e : find_numbered t ns j = Some e -> [/\ inside t e, numbers e = ns & layer_of e = j].
Proof. by move=> found; have [in_e /andP[/eqbN at_ /same_numbersP same]] := find_inside found. Qed.

Fixpoint number_parts (ps : seq part) (n : positive) (found : PM.t part) : PM.t part :=
  if ps is s :: ps' then number_parts ps' (Pos.succ n) (PM.add n s found) else found.

Fixpoint numbered_parts (ps : seq part) (n : positive) : seq (part * positive) :=
  if ps is s :: ps' then (s, n) :: numbered_parts ps' (Pos.succ n) else [::].

Definition way_of_part (e : part * positive) : seq bool := bits_part e.1 [::].

Section Check.

Variables (I : instance) (r : rule) (h p q : N) (turning : bool).
Variables (parts_ : PM.t part) (numbers_ : tree (part * positive)) (table : tree numbered).

Definition part_at (n : positive) : part := if PM.find n parts_ is Some s then s else [::].

Definition number_of (s : part) : option positive :=
  if find_at numbers_ (bits_part s [::]) (fun e => part_eq e.1 s) is Some e then
    if part_eq (part_at e.2) s then Some e.2 else None
  else None.

(** ** What a request makes of parts, as far as it was worked out *)

Record worked := Worked { by_ : N * bool * code; rest_ : PM.t positive; own_ : PM.t positive }.

Definition memo : Type := PM.t worked.

Definition moved_part (w : N * bool * code) (s : part) : part := sorted (map (move I r h w.1.1 w.1.2 w.2) s).
Definition own_part (w : N * bool * code) (s : part) : part :=
  sorted (moves_to I r h w.1.1 w.2 :: map (move I r h w.1.1 w.1.2 w.2) (without w.2 s)).

(** Where it is kept: digits, each announced, so that no two share a place. (No proof needs that.) *)
Fixpoint told_pos (n : positive) (rest : positive) : positive :=
  match n with xH => xO rest | xO n' => xI (xO (told_pos n' rest)) | xI n' => xI (xI (told_pos n' rest)) end.
Definition told (n : N) (rest : positive) : positive := if n is Npos n' then xI (told_pos n' rest) else xO rest.
Definition shelf (w : N * bool * code) : positive :=
  told w.2.1 (told w.2.2 (told w.1.1 (if w.1.2 then xI xH else xO xH))).

Definition same_request (v w : N * bool * code) : bool :=
  [&& N.eqb v.1.1 w.1.1, Bool.eqb v.1.2 w.1.2 & code_eq v.2 w.2].

Definition recall (m : memo) (w : N * bool * code) : worked :=
  if PM.find (shelf w) m is Some k then
    if same_request (by_ k) w then k else Worked w (PM.empty positive) (PM.empty positive)
  else Worked w (PM.empty positive) (PM.empty positive).

(** The number of what becomes of part [n], and what is known after that, if it is more. *)
Definition rest_number (k : worked) (n : positive) : option (positive * option worked) :=
  if PM.find n (rest_ k) is Some j then Some (j, None)
  else if number_of (moved_part (by_ k) (part_at n)) is Some j then
    Some (j, Some (Worked (by_ k) (PM.add n j (rest_ k)) (own_ k)))
  else None.

Definition own_number (k : worked) (n : positive) : option (positive * option worked) :=
  if PM.find n (own_ k) is Some j then Some (j, None)
  else if number_of (own_part (by_ k) (part_at n)) is Some j then
    Some (j, Some (Worked (by_ k) (rest_ k) (PM.add n j (own_ k))))
  else None.

Definition newer (k : worked) (more : option worked) : worked := if more is Some k' then k' else k.

(** Of the parts [ns] of the layers not served, and at last of part [n0]. *)
Fixpoint all_numbers (k : worked) (more : option worked) (ns : seq positive) (n0 : positive)
    : option (seq positive * option worked) :=
  if ns is n :: ns' then
    if rest_number (newer k more) n is Some (j, new) then
      let more' := if new is Some _ then new else more in
      if all_numbers k more' ns' n0 is Some (js, last) then Some (j :: js, last) else None
    else None
  else if own_number (newer k more) n0 is Some (j, new) then Some ([:: j], if new is Some _ then new else more)
  else None.

(** ** States *)

Definition parts_at (e : numbered) : seq part := map part_at (numbers e).

Definition cost_bound (c : code) : Z :=
  Z.sub (if N.eqb c.2 0%num then Z.of_N p else 0%Z) (if N.eqb c.1 0%num then Z.of_N q else 0%Z).

(** Where a request leads. *)
Definition edge (m : memo) (e : numbered) n0 ns (s : N) (full_ : bool) (c : code) : option (positive * memo) :=
  let w := (s, full_, c) in
  if all_numbers (recall m w) None ns n0 is Some (js, more) then
    if find_numbered table js (served_next I turning (layer_of e)) is Some e' then
      if Z.leb (value e') (Z.add (value e) (cost_bound c)) then
        Some (number e', if more is Some k then PM.add (shelf w) k m else m)
      else None
    else None
  else None.

Fixpoint edges m e n0 ns s full_ (cs : part) (found : seq positive) : option (seq positive * memo) :=
  if cs is c :: cs' then
    if edge m e n0 ns s full_ c is Some (i, m') then edges m' e n0 ns s full_ cs' (i :: found) else None
  else Some (found, m).

Definition successors (m : memo) (e : numbered) : option (seq positive * memo) :=
  if numbers e is n0 :: ns then
    let ps := parts_at e in let a := labels_of ps in
    if N.leb (count_cached a) (slots I) then
      edges m e n0 ns (summary r (slots I) a) (full_parts h ps) (distinct (part_at n0)) [::]
    else None
  else None.

(** The successors of all states, the last state's first. *)
Fixpoint all_successors (m : memo) (es : seq numbered) (found : seq (seq positive)) : option (seq (seq positive)) :=
  if es is e :: es' then
    if successors m e is Some (s, m') then all_successors m' es' (s :: found) else None
  else Some found.

Definition find_cold : option numbered :=
  let fix all (ps : seq part) (found : seq positive) : option (seq positive) :=
    if ps is s :: ps' then if number_of s is Some n then all ps' (rcons found n) else None else Some found in
  if all (cold I) [::] is Some ns then
    if find_numbered table ns 0%num is Some e then if parts_eq (parts_at e) (cold I) then Some e else None else None
  else None.

End Check.

Fixpoint least (es : seq numbered) (z : Z) : Z := if es is e :: es' then least es' (Z.min z (value e)) else z.

(** The cold start, and the successors of all states, the last state's first: from this it is seen whether all states are
    reached, which is no part of the proof. *)
Definition check_potential (c : potential) (e : potential_evidence) : option (positive * seq (seq positive)) :=
  let I := pot_instance c in let h := pot_opt_slots c in
  let: (p, q) := pot_ratio c in let: (an, ad) := pot_additive c in
  let parts_ := number_parts (pot_parts e) 1%positive (PM.empty part) in
  let numbers_ := plant way_of_part (numbered_parts (pot_parts e) 1%positive) in
  let table := plant way_of_numbered (pot_states e) in
  if [&& N.ltb 0%num h, N.ltb 0%num (page_count I), N.ltb 0%num q & Z.ltb 0%Z ad] then
    if find_cold I parts_ numbers_ table is Some start then
      if Z.eqb (Z.mul an (Z.of_N q)) (Z.mul ad (Z.sub (value start) (least (pot_states e) (value start)))) then
        if all_successors I (rule_of (pot_policy c)) h p q (pot_turning e) parts_ numbers_ table (PM.empty worked)
            (pot_states e) [::] is Some found then Some (number start, found) else None
      else None
    else None
  else None.

(** ** Soundness *)

Lemma rule_lazy n k s y : other (rule_of n) k s y 0%num = 0%num.
Proof. by case: n; rewrite //= /age /=; case: ifP. Qed.

Lemma rule_loads n k s y : N.ltb 0%num (own (rule_of n) k s y).
Proof.
by case: n => //=; case: y => //= z; apply/N.ltb_lt; case: ifP; lia.
Qed.

Lemma least_le es z e : List.In e es -> Z.le (least es z) (value e).
Proof.
have low a : forall z, Z.le (least a z) z by elim: a => [|d a ih] z' /=; [lia|have := ih (Z.min z' (value d)); lia].
elim: es z => //= d es ih z [->|/ih //]; have := low es (Z.min z (value e)); lia.
Qed.

Lemma least_low es z : Z.le (least es z) z.
Proof. by elim: es z => [|d a ih] z' /=; [lia|have := ih (Z.min z' (value d)); lia]. Qed.

Section Sound.

Variables (I : instance) (n : name) (h p q : N) (turning : bool).
Variables (parts_ : PM.t part) (numbers_ : tree (part * positive)) (table : tree numbered).
Hypotheses (h0 : N.ltb 0%num h) (some : N.ltb 0%num (page_count I)).

Let r := rule_of n.
Let part_at := part_at parts_.
Let parts_at := parts_at parts_.
Let moved_part := moved_part I r h.
Let own_part := own_part I r h.

(** What is remembered is right. *)
Definition right (k : worked) :=
  (forall a b, PM.find a (rest_ k) = Some b -> part_at b = moved_part (by_ k) (part_at a)) /\
  (forall a b, PM.find a (own_ k) = Some b -> part_at b = own_part (by_ k) (part_at a)).

Definition all_right (m : memo) := forall i k, PM.find i m = Some k -> right k.

Lemma right_empty w : right (Worked w (PM.empty positive) (PM.empty positive)).
Proof. by split=> a b /=; rewrite PM.gempty. Qed.

Lemma recall_right m w : all_right m -> right (recall m w) /\ by_ (recall m w) = w.
Proof.
move=> ok; rewrite /recall; case eq : PM.find => [k|]; last by split=> //; apply: right_empty.
case: ifP => [/and3P[/eqbN a /Bool.eqb_prop b c]|_]; last by split=> //; apply: right_empty.
split; first exact: ok eq.
move: a b c; rewrite code_eqP; clear; case: (by_ k) => [[s f] c]; case: w => [[s' f'] c'] /= -> -> /eqP-> //.
Qed.

Lemma number_ofP s j : number_of parts_ numbers_ s = Some j -> part_at j = s.
Proof.
by rewrite /number_of; case: find_at => // e; case: ifP => // /part_eqP same [<-].
Qed.

Lemma find_add (m : PM.t positive) a b c d : PM.find c (PM.add a b m) = Some d -> c = a /\ d = b \/ PM.find c m = Some d.
Proof.
case: (Pos.eq_dec c a) => [->|ne]; first by rewrite PM.gss => -[->]; left.
by rewrite PM.gso //; right.
Qed.

Lemma rest_numberP k a j more : right k -> rest_number I r h parts_ numbers_ k a = Some (j, more) ->
  [/\ part_at j = moved_part (by_ k) (part_at a), right (newer k more) & by_ (newer k more) = by_ k].
Proof.
case=> rest_ok own_ok; rewrite /rest_number; case eq : PM.find => [b|]; first by case=> <- <-; split=> //; apply: rest_ok.
case num : number_of => [b|] // [<- <-] /=; have e := number_ofP num; split=> //; split=> //= c d.
by case/find_add=> [[-> ->]|/rest_ok].
Qed.

Lemma own_numberP k a j more : right k -> own_number I r h parts_ numbers_ k a = Some (j, more) ->
  [/\ part_at j = own_part (by_ k) (part_at a), right (newer k more) & by_ (newer k more) = by_ k].
Proof.
case=> rest_ok own_ok; rewrite /own_number; case eq : PM.find => [b|]; first by case=> <- <-; split=> //; apply: own_ok.
case num : number_of => [b|] // [<- <-] /=; have e := number_ofP num; split=> //; split=> //= c d.
by case/find_add=> [[-> ->]|/own_ok].
Qed.

Lemma all_numbersP k more ns n0 js last : right (newer k more) ->
  all_numbers I r h parts_ numbers_ k more ns n0 = Some (js, last) ->
  [/\ map part_at js = rcons [seq moved_part (by_ (newer k more)) (part_at a) | a <- ns] (own_part (by_ (newer k more)) (part_at n0)),
    right (newer k last) & by_ (newer k last) = by_ (newer k more)].
Proof.
have pick (new old : option worked) : newer k (if new is Some _ then new else old) = newer (newer k old) new by case: new.
elim: ns more js last => [|a ns ih] more js last ok /=.
  case own : own_number => [[j new]|] // [<- <-]; have [e ok' by'] := own_numberP ok own.
  by rewrite /= e pick; split.
case rest : rest_number => [[j new]|] //; have [e ok' by'] := rest_numberP ok rest.
case others : all_numbers => [[js' last']|] // [<- <-].
rewrite -pick in ok' by'; have [e' ok'' by''] := ih _ _ _ ok' others.
by rewrite by' in e' by''; split=> //=; rewrite e e'.
Qed.

Lemma edge_right m e n0 ns s f c i m' : all_right m ->
  edge I r h p q turning parts_ numbers_ table m e n0 ns s f c = Some (i, m') ->
  all_right m' /\ exists e', [/\ inside table e',
    parts_at e' = requested I r h s f c (part_at n0) (map part_at ns), layer_of e' = served_next I turning (layer_of e) &
    Z.le (value e') (Z.add (value e) (cost_bound p q c))].
Proof.
move=> ok; rewrite /edge; have [ok_k by_k] := recall_right (s, f, c) ok.
case nums : all_numbers => [[js more]|] //; case found : find_numbered => [e'|] //; case: ifP => // /Z.leb_le le [_ <-].
have [eq ok' _] := all_numbersP (ok_k : right (newer _ None)) nums; have [in_e nums_e at_e] := find_numberedP found.
split.
  move=> j k; case: more {nums eq} ok' => [k'|] ok'; last exact: ok.
  case: (Pos.eq_dec j (shelf (s, f, c))) => [->|ne]; first by rewrite PM.gss => -[<-].
  by rewrite PM.gso //; apply: ok.
exists e'; split=> //; rewrite /parts_at /CheckPotential.parts_at nums_e eq /= by_k /requested -map_comp.
by [].
Qed.

Lemma edges_right m e n0 ns s f cs found res m' : all_right m ->
  edges I r h p q turning parts_ numbers_ table m e n0 ns s f cs found = Some (res, m') ->
  all_right m' /\ forall c, c \in cs -> exists e', [/\ inside table e',
    parts_at e' = requested I r h s f c (part_at n0) (map part_at ns), layer_of e' = served_next I turning (layer_of e) &
    Z.le (value e') (Z.add (value e) (cost_bound p q c))].
Proof.
elim: cs m found => [|d cs ih] m found ok /=; first by case=> _ <-.
case one : edge => [[i m1]|] //; have [ok1 e1] := edge_right ok one => /ih[//|ok' all_].
by split=> // c; rewrite in_cons => /orP[/eqP->|/all_].
Qed.

(** A state whose successors were found. *)
Definition passed (e : numbered) := exists m res, all_right m /\
  successors I r h p q turning parts_ numbers_ table m e = Some res.

Lemma all_passed m es found res : all_right m ->
  all_successors I r h p q turning parts_ numbers_ table m es found = Some res -> forall e, List.In e es -> passed e.
Proof.
elim: es m found => //= d es ih m found ok; case one : successors => [[s m1]|] // more e.
case=> [<-|]; first by exists m, (s, m1).
have ok1 : all_right m1.
  move: one; rewrite /successors; case: (numbers d) => // n0 ns; case: ifP => // _ goes.
  by have [] := edges_right ok goes.
exact: (ih _ _ ok1 more).
Qed.

Hypothesis all_ok : forall e, inside table e -> passed e.

Implicit Types (x y : labels I).

Let stands := @stands I turning numbered parts_at layer_of table.

Lemma stands_fits e x y t : stands e x y t -> #|cached x| <= N.to_nat (slots I).
Proof.
case=> /all_ok[m [res [_]]]; rewrite /successors; case: (numbers e) => // n0 ns; case: ifP => // /N.leb_le le _ /fst_perm eq _.
by rewrite count_cachedE -(count_cached_perm eq) /parts_at; move: le; clear; move: (count_cached _) => z; lia.
Qed.

Lemma stands_step e x y t a : stands e x y t -> layer a = t %% layers I :> nat ->
  exists e', stands e' (serve r x a) (relabel h y a) t.+1 /\
    Z.le (Z.add (value e') (if N.eqb (x a) 0%num then Z.of_N q else 0%Z))
      (Z.add (value e) (if N.eqb (y a) 0%num then Z.of_N p else 0%Z)).
Proof.
case=> /all_ok[m [[res m'] [right_m]]]; rewrite /successors; case eq : (numbers e) => [//|n0 ns]; case: ifP => // _.
have parts_e : parts_at e = part_at n0 :: map part_at ns by rewrite /parts_at /CheckPotential.parts_at eq.
rewrite -/parts_at; move=> /(edges_right right_m)[_ goes] lk at_ here.
have sE : summary r (slots I) (labels_of (parts_at e)) = summary r (slots I) (look x).
  by apply: rule_symmetric; apply: fst_perm lk.
have fE : full_parts h (parts_at e) = full_labels h y by apply: full_partsE lk.
have lk' := lk; rewrite parts_e in lk'; have [in0 _] := like_requested r h lk' here.
have [e' [in_e' parts_e' served_e' le]] := goes _ (mem_distinct in0); exists e'; split; last first.
  by move: le; rewrite /cost_bound /both /=; clear; case: ifP => _; case: ifP => _; lia.
by apply: (stands_next lk' here in_e'); rewrite ?served_e' ?at_ // parts_e' sE fE.
Qed.

Lemma stands_run e0 : inside table e0 -> parts_at e0 = cold I -> layer_of e0 = 0%num -> forall s, legal (@layer I) s ->
  exists e, stands e (memory (no_labels I) (serve r) s) (labels_after h s) (size s) /\
    Z.le (Z.add (Z.mul (Z.of_N q) (Z.of_nat (cost_of (@policy I r) s))) (value e))
      (Z.add (Z.mul (Z.of_N p) (Z.of_nat (@paid_so_far I h s))) (value e0)).
Proof.
move=> in0 parts0 layer0; elim/last_ind=> [|s a ih] leg.
  exists e0; split; first by apply: stands_start.
  by rewrite /paid_so_far /= /cost_of /run /=; lia.
have [leg' here] := (legal_rcons (@layer I) s a).1 leg; have [e [st le]] := ih leg'.
have [e' [st' le']] := stands_step st here; exists e'; split.
  by rewrite memory_rcons labels_after_rcons size_rcons.
have -> : cost_of (@policy I r) (rcons s a) = cost_of (@policy I r) s + N.eqb (memory (no_labels I) (serve r) s a) 0%num.
  rewrite /policy (machine_step _ (@policy_cold I)) /online; congr (_ + _).
  rewrite /loads; set x := memory _ _ _.
  have -> : cached (serve r x a) :\: cached x = if N.eqb (x a) 0%num then [set a] else set0.
    apply/setP=> b; rewrite !inE !ffunE; case: (eqVneq b a) => [->|ne].
      by rewrite rule_loads andbT; case: (x a) => [|z] /=; rewrite !inE ?eqxx.
    case: (x b) (rule_lazy n (slots I) (summary r (slots I) (look x)) (x a)) => [->|z _]; last first.
      by case: ifP; rewrite !inE // (negbTE ne).
    by case: ifP; rewrite !inE // (negbTE ne).
  by case: ifP; rewrite ?cards1 ?cards0.
rewrite paid_so_far_rcons /increment; move: le le'.
move: (value e) (value e') (value e0) (cost_of _ _) (paid_so_far _ _) => f f' f0 A B; clear.
by case: ifP => _; case: ifP => _ /=; nia.
Qed.

End Sound.

Lemma bound_of (p q : N) (a b c : nat) (now start low : Z) :
  Z.le (Z.add (Z.mul (Z.of_N q) (Z.of_nat a)) now) (Z.add (Z.mul (Z.of_N p) (Z.of_nat b)) start) ->
  b <= c -> Z.le low now -> Z.le low start ->
  N.to_nat q * a <= N.to_nat p * c + Z.to_nat (Z.sub start low).
Proof.
move=> le bc low1 low2; have mul (x : N) (y : nat) : Z.of_nat (N.to_nat x * y) = Z.mul (Z.of_N x) (Z.of_nat y).
  by rewrite -multE Nat2Z.inj_mul N_nat_Z.
have le2 : N.to_nat p * b <= N.to_nat p * c by rewrite leq_mul2l bc orbT.
have := mul p b; have := mul q a; move: le le2; move: (N.to_nat q * a) (N.to_nat p * b) (N.to_nat p * c) => u v w.
by move: (Z.mul _ _) (Z.mul _ _) => x y; lia.
Qed.

(** On every legal sequence the policy is a valid algorithm, and its faults are at most [ratio] OPT + [additive]. *)
Theorem check_potential_sound c e found : check_potential c e = Some found ->
  let I := pot_instance c in let A := @policy I (rule_of (pot_policy c)) in
  valid (@layer I) (N.to_nat (slots I)) A /\
  exists2 b, Z.mul (pot_additive c).1 (Z.of_N (pot_ratio c).2) = Z.mul (pot_additive c).2 (Z.of_nat b) &
    competitive (@layer I) (N.to_nat (pot_opt_slots c)) A (N.to_nat (pot_ratio c).1) (N.to_nat (pot_ratio c).2) b.
Proof.
rewrite /check_potential; case: (pot_ratio c) => p q; case: (pot_additive c) => an ad.
set I := pot_instance c; set h := pot_opt_slots c; set n := pot_policy c; set turning := pot_turning e.
set parts_ := number_parts _ _ _; set numbers_ := plant _ _; set table := plant _ _.
case: ifP => // /and4P[h0 some q0 _]; case start : find_cold => [e0|] //; case: ifP => // /Z.eqb_eq add.
case all_ : all_successors => [res|] // _ /=.
have all_ok d : inside table d -> passed I n h p q turning parts_ numbers_ table d.
  by move=> in_d; apply: (all_passed _ all_ (inside_list in_d)) => i k; rewrite PM.gempty.
have [in0 parts0 layer0] : [/\ inside table e0, parts_at parts_ e0 = cold I & layer_of e0 = 0%num].
  move: start; rewrite /find_cold; case: (_ (cold I) [::]) => // ns; case found0 : find_numbered => [d|] //.
  by case: ifP => // /parts_eqP same [<-]; have [? _ ?] := find_numberedP found0.
have run := stands_run h0 some all_ok in0 parts0 layer0.
split.
  split; first exact: policy_cold.
  move=> s a leg; have [d [st _]] := run _ leg; split; last by apply: (stands_fits all_ok st).
  by rewrite /policy /machine memory_rcons inE ffunE eqxx rule_loads.
have low := @least_low (pot_states e) (value e0).
exists (Z.to_nat (Z.sub (value e0) (least (pot_states e) (value e0)))); first by rewrite add Z2Nat.id //; lia.
move=> s cs leg sched; have [d [[in_d _ _] le]] := run _ leg.
have lower : @paid_so_far I h s <= cost cs by rewrite labels_opt // opt_least //; move: h0; rewrite ltbN.
have low_d := @least_le (pot_states e) (value e0) d (inside_list in_d).
exact: bound_of le lower low_d low.
Qed.
