(** * A checker of the type [potential]

    For every listed state and every request of it the rule of the policy and the rule of OPT's labels are carried out; it
    must lead to a listed state, and the potential must pay. Pages of a layer are alike to every rule; so are layers, if the
    certificate says so. *)

From Formal Require Export States.

Record potential := Potential {
  pot_instance : instance;
  pot_policy : name;
  pot_opt_slots : N;
  pot_ratio : N * N; (* numerator and denominator *)
  pot_additive : Z * Z
}.

Record potential_evidence := PotentialEvidence {
  pot_turning : bool; (* the layers are alike *)
  pot_states : seq entry
}.

Section Check.

Variables (I : instance) (r : rule) (h p q : N) (turning : bool) (table : tree).

Definition cost_bound (c : code) : Z :=
  Z.sub (if N.eqb c.2 0%num then Z.of_N p else 0%Z) (if N.eqb c.1 0%num then Z.of_N q else 0%Z).

(** Where a request leads. *)
Definition edge (e : entry) (p0 : part) (rest : seq part) (s : N) (full_ : bool) (c : code) : option positive :=
  if find_state table (requested I r h s full_ c p0 rest) (served_next I turning (served e)) is Some e' then
    if Z.leb (phi e') (Z.add (phi e) (cost_bound c)) then Some (place e') else None
  else None.

Fixpoint edges e p0 rest s full_ (cs : part) (found : seq positive) : option (seq positive) :=
  if cs is c :: cs' then
    if edge e p0 rest s full_ c is Some i then edges e p0 rest s full_ cs' (i :: found) else None
  else Some found.

Definition successors (e : entry) : option (seq positive) :=
  if parts e is p0 :: rest then
    let a := labels_of (parts e) in
    if N.leb (count_cached a) (slots I) then
      edges e p0 rest (summary r (slots I) a) (full_parts h (parts e)) (distinct p0) [::]
    else None
  else None.

(** The successors of all states, by place. *)
Fixpoint all_successors (es : seq entry) (found : PM.t (seq positive)) : option (PM.t (seq positive)) :=
  if es is e :: es' then
    if successors e is Some s then all_successors es' (PM.add (place e) s found) else None
  else Some found.

End Check.

(** ** Which states are reached

    That all are is no part of a proof: a list with others is refused, as it is no certificate of this format. *)

Definition visit (found : PM.t (seq positive)) (st : PM.t unit * seq positive * N) (i : positive) :=
  foldl (fun (st : PM.t unit * seq positive * N) j =>
      let: (seen, later, n) := st in
      if PM.mem j seen then st else (PM.add j tt seen, j :: later, N.succ n))
    st (if PM.find i found is Some s then s else [::]).

Fixpoint reached (found : PM.t (seq positive)) (fuel : seq entry) (seen : PM.t unit) (now : seq positive) (n : N) : N :=
  if now is [::] then n
  else if fuel is _ :: fuel' then
    let: (seen', later, n') := foldl (visit found) (seen, [::], n) now in reached found fuel' seen' later n'
  else n.

Fixpoint count (es : seq entry) (n : N) : N := if es is _ :: es' then count es' (N.succ n) else n.

Fixpoint least (es : seq entry) (z : Z) : Z := if es is e :: es' then least es' (Z.min z (phi e)) else z.

Definition check_potential (c : potential) (e : potential_evidence) : bool :=
  let I := pot_instance c in let h := pot_opt_slots c in
  let: (p, q) := pot_ratio c in let: (an, ad) := pot_additive c in
  let table := plant (pot_states e) in
  [&& N.ltb 0%num h, N.ltb 0%num (page_count I), N.ltb 0%num q, Z.ltb 0%Z ad &
    if find_state table (cold I) 0%num is Some start then
      if all_successors I (rule_of (pot_policy c)) h p q (pot_turning e) table (pot_states e) (PM.empty (seq positive))
        is Some found then
        [&& (Z.eqb (Z.mul an (Z.of_N q)) (Z.mul ad (Z.sub (phi start) (least (pot_states e) (phi start))))) &
          N.eqb (reached found (pot_states e) (PM.add (place start) tt (PM.empty unit)) [:: place start] 1%num)
            (count (pot_states e) 0%num)]
      else false
    else false].

(** ** Soundness *)

Lemma rule_lazy n k s y : other (rule_of n) k s y 0%num = 0%num.
Proof. by case: n; rewrite //= /age /=; case: ifP. Qed.

Lemma rule_loads n k s y : N.ltb 0%num (own (rule_of n) k s y).
Proof.
by case: n => //=; case: y => //= z; apply/N.ltb_lt; case: ifP; lia.
Qed.

Lemma least_le es z e : List.In e es -> Z.le (least es z) (phi e).
Proof.
have low a : forall z, Z.le (least a z) z by elim: a => [|d a ih] z' /=; [lia|have := ih (Z.min z' (phi d)); lia].
elim: es z => //= d es ih z [->|/ih //]; have := low es (Z.min z (phi e)); lia.
Qed.

Lemma least_low es z : Z.le (least es z) z.
Proof. by elim: es z => [|d a ih] z' /=; [lia|have := ih (Z.min z' (phi d)); lia]. Qed.

Section Sound.

Variables (I : instance) (n : name) (h p q : N) (turning : bool) (table : tree).
Hypotheses (h0 : N.ltb 0%num h) (some : N.ltb 0%num (page_count I)).

Let r := rule_of n.
Let ok (e : entry) : bool := if successors I r h p q turning table e is Some _ then true else false.
Hypothesis all_ok : forall e, inside table e -> ok e.

Implicit Types (x y : labels I).

Let stands := @stands I turning table.

Lemma stands_fits e x y t : stands e x y t -> #|cached x| <= N.to_nat (slots I).
Proof.
case=> /all_ok; rewrite /ok /successors; case: (parts e) => // p0 rest; case: ifP => // /N.leb_le le _ /fst_perm eq _.
by rewrite count_cachedE -(count_cached_perm eq); move: le; clear; lia.
Qed.

Lemma stands_step e x y t a : stands e x y t -> layer a = t %% layers I :> nat ->
  exists e', stands e' (serve r x a) (relabel h y a) t.+1 /\
    Z.le (Z.add (phi e') (if N.eqb (x a) 0%num then Z.of_N q else 0%Z))
      (Z.add (phi e) (if N.eqb (y a) 0%num then Z.of_N p else 0%Z)).
Proof.
case=> /all_ok; rewrite /ok /successors; case eq : (parts e) => [//|p0 rest]; case: ifP => // _.
rewrite -eq => found lk at_ here.
set s := summary _ _ _ in found; set f := full_parts _ _ in found.
have sE : s = summary r (slots I) (look x) by apply: rule_symmetric; apply: fst_perm lk.
have fE : f = full_labels h y by apply: full_partsE lk.
have lk' := lk; rewrite eq in lk'; have [in0 _] := like_requested r h lk' here.
move: found; have := mem_distinct in0; move: (distinct p0) [::] => cs found in_cs found_all.
have [i] : exists i, @edge I r h p q turning table e p0 rest s f (both x y a) = Some i.
  elim: cs found in_cs found_all => //= c cs ih found; rewrite in_cons; case: eqP => [<- _|_ /= in_cs].
    by case: edge => // i; exists i.
  by case: edge => // j; apply: ih.
rewrite /edge; case found_ : find_state => [e'|] //; case: ifP => // /Z.leb_le le _.
exists e'; split; last first.
  by move: le; rewrite /cost_bound /both /=; clear; case: ifP => _; case: ifP => _; lia.
by apply: (stands_next lk' here); rewrite -sE -fE -at_.
Qed.

Lemma stands_run e0 : find_state table (cold I) 0%num = Some e0 -> forall s, legal (@layer I) s ->
  exists e, stands e (memory (no_labels I) (serve r) s) (labels_after h s) (size s) /\
    Z.le (Z.add (Z.mul (Z.of_N q) (Z.of_nat (cost_of (@policy I r) s))) (phi e))
      (Z.add (Z.mul (Z.of_N p) (Z.of_nat (@paid_so_far I h s))) (phi e0)).
Proof.
move=> start; elim/last_ind=> [|s a ih] leg.
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
move: (phi e) (phi e') (phi e0) (cost_of _ _) (paid_so_far _ _) => f f' f0 A B; clear.
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
Theorem check_potential_sound c e : check_potential c e ->
  let I := pot_instance c in let A := @policy I (rule_of (pot_policy c)) in
  valid (@layer I) (N.to_nat (slots I)) A /\
  exists2 b, Z.mul (pot_additive c).1 (Z.of_N (pot_ratio c).2) = Z.mul (pot_additive c).2 (Z.of_nat b) &
    competitive (@layer I) (N.to_nat (pot_opt_slots c)) A (N.to_nat (pot_ratio c).1) (N.to_nat (pot_ratio c).2) b.
Proof.
rewrite /check_potential; case: (pot_ratio c) => p q; case: (pot_additive c) => an ad.
set I := pot_instance c; set h := pot_opt_slots c; set n := pot_policy c; set table := plant _; set turning := pot_turning e.
case/and5P=> h0 some q0 _; case start : find_state => [e0|] //.
case all_ : all_successors => [found|] // /andP[/Z.eqb_eq add _] /=.
pose ok d := if successors I (rule_of n) h p q turning table d is Some _ then true else false.
have every : all ok (pot_states e).
  elim: (pot_states e) (PM.empty _) all_ => //= d es ih f; rewrite /ok; case: successors => // s; exact: ih.
have all_ok d : inside table d -> ok d by apply: inside_plant.
have run := stands_run h0 some all_ok start.
split.
  split; first exact: policy_cold.
  move=> s a leg; have [d [st _]] := run _ leg; split; last by apply: (stands_fits all_ok st).
  by rewrite /policy /machine memory_rcons inE ffunE eqxx rule_loads.
have low := @least_low (pot_states e) (phi e0).
exists (Z.to_nat (Z.sub (phi e0) (least (pot_states e) (phi e0)))); first by rewrite add Z2Nat.id //; lia.
move=> s cs leg sched; have [d [[in_d _ _] le]] := run _ leg.
have lower : @paid_so_far I h s <= cost cs by rewrite labels_opt // opt_least //; move: h0; rewrite ltbN.
have low_d := @least_le (pot_states e) (phi e0) d (inside_list in_d).
exact: bound_of le lower low_d low.
Qed.
