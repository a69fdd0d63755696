(** * Certificates: why a potential is an upper bound and a cycle a lower one

    The competitive ratio of a policy is read off a graph. Its states are what the policy remembers, the work function
    less its least value, and the layer to be served; a request leads from state to state and costs the policy and OPT
    something. A potential on the states that satisfies every edge bounds the ratio from above, on every legal sequence; a
    cycle bounds it from below. These are the types [potential] and [cycle] of docs/certificates.md, without the labels
    that stand for the work function there, and without renamings of pages. *)

From Formal Require Export WorkFunction.

Section Cold.

Variables (P : finType) (A : algorithm P).
Hypothesis cold : A [::] = set0.

(** The cost of an algorithm that starts cold, request by request, whatever else it does. *)
Lemma cost_of_rcons_cold s p : cost_of A (rcons s p) = cost_of A s + loads (A s) (A (rcons s p)).
Proof.
rewrite /cost_of run_rcons cost_rcons; congr (_ + loads _ _).
by case/lastP: s => [|s q]; rewrite ?run_rcons ?last_rcons.
Qed.

End Cold.

Section Machine.

(** A policy as a machine: what it remembers, and how this gives the cache. Every algorithm is one, with the whole past
    for a memory ([machine_of_algorithm]). *)
Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat) (X : Type).
Variables (x0 : X) (step : X -> P -> X) (cache : X -> {set P}).

Definition memory (s : seq P) : X := foldl step x0 s.
Definition machine : algorithm P := fun s => cache (memory s).

Hypotheses (k0 : 0 < k) (cold : cache x0 = set0).

Lemma memory_rcons s p : memory (rcons s p) = step (memory s) p.
Proof. exact: foldl_rcons. Qed.

Definition online x p := loads (cache x) (cache (step x p)).

Lemma machine_step s p : cost_of machine (rcons s p) = cost_of machine s + online (memory s) p.
Proof. by rewrite (@cost_of_rcons_cold _ machine cold) /machine memory_rcons. Qed.

(** ** A potential

    [listed x w t] says that the state with memory [x], reduced work function [w] and layer [t] is in the certificate. *)
Section Potential.

Variables (listed : X -> {ffun {set P} -> nat} -> nat -> Prop) (phi : X -> {ffun {set P} -> nat} -> nat -> nat).
Variables (p q : nat).

Definition edge_holds x w t page :=
  let w' := update k w page in
  listed (step x page) (norm w') (t.+1 %% l) /\
  q * online x page + phi (step x page) (norm w') (t.+1 %% l) <= p * w' set0 + phi x w t.

Theorem potential_sound :
  listed x0 (start P) 0 ->
  (forall x w t page, listed x w t -> layer page = t :> nat -> edge_holds x w t page) ->
  competitive layer k machine p q (phi x0 (start P) 0).
Proof.
move=> first edges; apply/(competitive_opt k0) => s.
have norm0 : norm (start P) = start P by apply/ffunP=> C; rewrite !ffunE cards0 subn0.
suff inv : legal layer s ->
  listed (memory s) (norm (work k s)) (size s %% l) /\
  q * cost_of machine s + phi (memory s) (norm (work k s)) (size s %% l) <= p * opt k s + phi x0 (start P) 0.
  by move=> leg; apply: leq_trans (leq_addr _ _) (inv leg).2.
elim/last_ind: s => [|s page ih] leg.
  by rewrite /memory /= /work /= norm0 mod0n /opt /work /= ffunE cards0 !muln0.
have [leg' here] := (legal_rcons layer s page).1 leg; have [list_ le] := ih leg'.
have [list_' le'] := edges _ _ _ _ list_ here.
have e : (size s %% l).+1 %% l = size (rcons s page) %% l by rewrite size_rcons -addn1 modnDml addn1.
rewrite memory_rcons (norm_step k0) -e machine_step (opt_step k0) !mulnDr; split=> //.
by move: le le'; move: (q * _) (q * _) (p * _) (p * _) => a b c d; lia.
Qed.

End Potential.

(** ** A cycle *)

Fixpoint online_along x s := if s is p :: s' then online x p + online_along (step x p) s' else 0.

Lemma cost_cat s c : cost_of machine (s ++ c) = cost_of machine s + online_along (memory s) c.
Proof.
elim: c s => [|p c ih] s /=; first by rewrite cats0 addn0.
by rewrite -cat_rcons ih machine_step memory_rcons addnA.
Qed.

Lemma memory_cat s c : memory (s ++ c) = foldl step (memory s) c.
Proof. exact: foldl_cat. Qed.

(** From equal reduced work functions the same requests lead to equal ones, at the same cost. *)
Lemma work_cat (s s' c : seq P) : norm (work k s) = norm (work k s') ->
  norm (work k (s ++ c)) = norm (work k (s' ++ c)) /\ opt k (s ++ c) + opt k s' = opt k (s' ++ c) + opt k s.
Proof.
move=> eq; elim/last_ind: c => [|c p [ih1 ih2]]; first by rewrite !cats0 addnC.
rewrite -!rcons_cat !(norm_step k0) !(opt_step k0) ih1; split=> //.
by move: ih2; move: (update _ _ _ _) => a; lia.
Qed.

Lemma opt_cat (s c : seq P) : opt k s <= opt k (s ++ c).
Proof.
elim/last_ind: c => [|c p ih]; first by rewrite cats0.
by rewrite -rcons_cat; apply: leq_trans ih (opt_mono k0 _ _).
Qed.

(** The cycle [c] after the prefix [u] leads from a state to the same state. *)
Variables (u c : seq P).
Hypotheses (leg : legal layer (u ++ c)) (rounds : l %| size c).
Hypotheses (same_memory : memory (u ++ c) = memory u) (same_work : norm (work k (u ++ c)) = norm (work k u)).

Definition repeated m := u ++ flatten (nseq m c).

Lemma repeated_last m : repeated m.+1 = repeated m ++ c.
Proof. by rewrite /repeated -addn1 nseqD flatten_cat /= cats0 catA. Qed.

Lemma legal_repeated m : legal layer (repeated m).
Proof.
elim: m => [|m ih]; first by rewrite /repeated cats0 => past p f e; apply: (leg (future := f ++ c)); rewrite e -catA.
rewrite repeated_last.
have size_m : size (repeated m) = size u %[mod l].
  rewrite /repeated size_cat; apply/eqP; rewrite eqn_mod_dvd ?leq_addr // addKn.
  by rewrite size_flatten /shape map_nseq sumn_nseq dvdn_mulr.
elim/last_ind: (c) (leg) => [|d p ih'] leg'; first by rewrite cats0.
move: leg'; rewrite -!rcons_cat => /legal_rcons[leg1 here]; apply/legal_rcons; split; first exact: ih'.
by rewrite here (size_cat u) (size_cat (repeated m)) -modnDml -[RHS]modnDml size_m.
Qed.

Lemma repeated_state m : [/\ memory (repeated m) = memory u, norm (work k (repeated m)) = norm (work k u),
  cost_of machine (repeated m) = cost_of machine u + m * online_along (memory u) c &
  opt k (repeated m) + m * opt k u = opt k u + m * opt k (u ++ c)].
Proof.
elim: m => [|m [mem_ work_ cost_ opt_]]; first by rewrite /repeated cats0 !addn0.
have [w1 w2] := work_cat c work_; rewrite repeated_last; split.
- by rewrite memory_cat mem_ -memory_cat.
- by rewrite w1.
- by rewrite cost_cat mem_ cost_ mulSn; lia.
by move: w2 opt_; rewrite !mulSn; lia.
Qed.

Theorem cycle_sound :
  ratio_at_least layer k machine (cost_of machine (u ++ c) - cost_of machine u) (opt k (u ++ c) - opt k u).
Proof.
move=> p q b q0; rewrite cost_cat addKn; set a := online_along _ _; set o := _ - _ => less.
move=> /(competitive_opt k0) comp; pose m := (p * opt k u + b).+1.
have [_ _ cost_ opt_] := repeated_state m; have := comp _ (@legal_repeated m); rewrite cost_.
have -> : opt k (repeated m) = opt k u + m * o.
  have := opt_cat u c; move: opt_; rewrite /o => eq le; have e : opt k (u ++ c) = opt k u + o by rewrite /o subnKC.
  by move: eq; rewrite e mulnDr; move: (m * opt k u) => y; lia.
have : m * (p * o) + m <= m * (a * q) by rewrite -mulnSr leq_mul2l less orbT.
have -> : m * (a * q) = q * (m * a) by rewrite (mulnCA q) (mulnC a).
have -> : m * (p * o) = p * (m * o) by rewrite (mulnCA p).
have : m = (p * opt k u + b).+1 by [].
by rewrite !mulnDr; move: (q * (m * a)) (p * (m * o)) (p * opt k u) (q * _) => v w x y; lia.
Qed.

End Machine.

(** ** A cycle and a schedule that returns

    The type [cycle]: OPT's side is a schedule for [n] rounds of the cycle that ends in the cache it began with. *)
Section Schedule.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (h : nat) (X : Type).
Variables (x0 : X) (step : X -> P -> X) (cache : X -> {set P}).
Hypothesis cold : cache x0 = set0.

Notation memory := (memory x0 step).
Notation machine := (machine x0 step cache).
Notation along := (online_along step cache).

Variables (u c : seq P) (n : nat) (D : {set P}) (cs : seq {set P}).
Hypotheses (leg : legal layer (u ++ c)) (rounds : l %| size c) (same_memory : memory (u ++ c) = memory u).
Hypotheses (n0 : 0 < n) (sched : schedule h (flatten (nseq n c)) cs) (returns : last D cs = D).

Lemma schedule_cat s1 s2 (cs1 cs2 : seq {set P}) :
  schedule h s1 cs1 -> schedule h s2 cs2 -> schedule h (s1 ++ s2) (cs1 ++ cs2).
Proof. by rewrite /schedule; elim: s1 cs1 => [|p s1 ih] [|E cs1] //= /andP[-> /ih ok] /ok. Qed.

Lemma cost_from_cat C (cs1 cs2 : seq {set P}) : cost_from C (cs1 ++ cs2) = cost_from C cs1 + cost_from (last C cs1) cs2.
Proof. by elim: cs1 C => //= E cs1 ih C; rewrite ih addnA. Qed.

(** Whoever begins with another cache pays for [D] and follows. *)
Lemma cost_from_other C (cs1 : seq {set P}) : cost_from C cs1 <= #|D| + cost_from D cs1.
Proof.
case: cs1 => [|E cs1] //=; rewrite addnA leq_add2r /loads.
apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card.
by apply/subsetP=> z; rewrite !inE; case: (z \in E); case: (z \in D); rewrite ?andbF.
Qed.

Lemma offline_rounds m : 0 < h -> exists2 cs', schedule h (u ++ flatten (nseq (m * n) c)) cs' &
  cost cs' <= size u + #|D| + m * cost_from D cs.
Proof.
move=> h0; pose once := [seq [set p] | p <- u]; exists (once ++ flatten (nseq m cs)).
  apply: schedule_cat.
    by rewrite /once; elim: (u) => //= p s ih; rewrite /schedule /= inE eqxx cards1 h0.
  elim: m => // m ih; rewrite mulSn nseqD flatten_cat /=; exact: schedule_cat.
have small C : cost_from C once <= size u.
  rewrite /once; elim: (u) C => //= p s ih C; rewrite -add1n leq_add ?ih // /loads.
  by rewrite -(cards1 p) subset_leq_card // subDset subsetUr.
rewrite /cost cost_from_cat -addnA leq_add //; apply: leq_trans (cost_from_other _ _) _; rewrite leq_add2l.
by elim: m => // m ih; rewrite mulSn /= cost_from_cat returns leq_add2l.
Qed.

Lemma online_rounds m : cost_of machine (repeated u c m) = cost_of machine u + m * along (memory u) c.
Proof.
suff [] : memory (repeated u c m) = memory u /\
  cost_of machine (repeated u c m) = cost_of machine u + m * along (memory u) c by [].
elim: m => [|m [mem cost_]]; first by rewrite /repeated cats0 addn0.
rewrite repeated_last (memory_cat x0 step) mem -memory_cat same_memory (cost_cat step cold) mem cost_ mulSn.
by split=> //; lia.
Qed.

(** [a] and [b] are the costs of policy and schedule in one round. *)
Theorem schedule_sound a b : 0 < h -> along (memory u) c = a -> cost_from D cs = n * b ->
  ratio_at_least layer h machine a b.
Proof.
move=> h0 <-; set a' := along _ _ => eq p q e q0 less comp; pose m := (p * (size u + #|D|) + e).+1.
have [cs' sched' cost_] := offline_rounds m h0.
have := comp _ _ (@legal_repeated _ _ _ _ _ leg rounds (m * n)) sched'; rewrite online_rounds -/a' !mulnDr.
have : p * cost cs' <= p * (size u + #|D|) + p * (m * (n * b)) by rewrite -mulnDr leq_mul2l -eq cost_ orbT.
have -> : p * (m * (n * b)) = (m * n) * (p * b) by rewrite !mulnA (mulnC p) -!mulnA (mulnCA p).
have -> : q * (m * n * a') = (m * n) * (a' * q) by rewrite mulnC -!mulnA.
have : m * n * (p * b) + m * n <= m * n * (a' * q) by rewrite -mulnSr leq_mul2l less orbT.
have : m <= m * n by rewrite leq_pmulr.
have : m = (p * (size u + #|D|) + e).+1 by [].
by move: (q * cost_of _ _) (p * (_ + _)) (m * n) (p * cost _) => x y z w; lia.
Qed.

End Schedule.

(** Every algorithm is a machine. *)
Lemma machine_of_algorithm (P : finType) (A : algorithm P) s : machine [::] rcons A s = A s.
Proof.
by rewrite /machine /memory; congr A; elim/last_ind: s => //= s p ih; rewrite foldl_rcons ih.
Qed.
