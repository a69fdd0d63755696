(** * The model: layered paging

    A finite set of pages, each of which belongs to one of [l] layers (of any sizes), and a cache of [k] pages.
    Request number [t], counted from 0, asks for a page of layer [t mod l]; one page a visit, and the page asked for
    must be cached when it is served (forced service). The cache is empty at first (cold start). To load a page costs
    1, to evict one costs nothing. Nobody is asked to be lazy: a player may load whatever it likes, and pays for it. *)

From Formal Require Export Tactics.

Section Model.

Variables (P : finType) (l : nat) (layer : P -> 'I_l).

(** Requests. *)

Definition legal (s : seq P) : Prop :=
  forall past p future, s = past ++ p :: future -> layer p = size past %% l :> nat.

(** Schedules of any player: the cache after each request, in turn. *)

Definition schedule (k : nat) (s : seq P) (caches : seq {set P}) : bool :=
  all2 (fun p (C : {set P}) => (p \in C) && (#|C| <= k)) s caches.

Definition loads (C D : {set P}) : nat := #|D :\: C|.

Fixpoint cost_from (C : {set P}) (caches : seq {set P}) : nat :=
  if caches is D :: rest then loads C D + cost_from D rest else 0.

Definition cost (caches : seq {set P}) : nat := cost_from set0 caches.

(** Deterministic online algorithms: the cache is a function of the requests so far, the one just served included. *)

Definition algorithm := seq P -> {set P}.

Definition valid (k : nat) (A : algorithm) : Prop :=
  A [::] = set0 /\
  forall s p, legal (rcons s p) -> p \in A (rcons s p) /\ #|A (rcons s p)| <= k.

Definition run (A : algorithm) (s : seq P) : seq {set P} :=
  [seq A (take i.+1 s) | i <- iota 0 (size s)].

Definition cost_of (A : algorithm) (s : seq P) : nat := cost (run A s).

(** [A] costs at most [p/q] times as much as any schedule with a cache of [h] pages, plus [b/q]: the competitive
    ratio is at most [p/q]. The usual case is [h = k]. *)

Definition competitive (h : nat) (A : algorithm) (p q b : nat) : Prop :=
  forall s caches, legal s -> schedule h s caches -> q * cost_of A s <= p * cost caches + b.

(** No additive constant helps: the competitive ratio is at least [p/q]. *)

Definition ratio_at_least (h : nat) (A : algorithm) (p q : nat) : Prop :=
  forall p' q' b, 0 < q' -> p' * q < p * q' -> ~ competitive h A p' q' b.

(** ** First consequences *)

Lemma legal_nil : legal [::].
Proof. by case. Qed.

Lemma legal_rcons s p : legal (rcons s p) <-> legal s /\ layer p = size s %% l :> nat.
Proof.
split=> [ok|[ok here] past q future].
  split=> [past q future e|]; last by apply: (ok s p [::]); rewrite cats1.
  by apply: (ok past q (rcons future p)); rewrite e rcons_cat.
case/lastP: future => [|future z].
  by rewrite cats1 => /rcons_inj[<- <-].
by rewrite -rcons_cons -rcons_cat => /rcons_inj[e _]; apply: ok e.
Qed.

Lemma legal_take i s : legal s -> legal (take i s).
Proof.
move=> ok past p future e; apply: (ok past p (future ++ drop i s)).
by rewrite -[LHS](cat_take_drop i) e -catA.
Qed.

Lemma schedule_size k s cs : schedule k s cs -> size cs = size s.
Proof. by rewrite /schedule all2E => /andP[/eqP]. Qed.

Lemma schedule_rcons k s p cs C :
  schedule k (rcons s p) (rcons cs C) = [&& schedule k s cs, p \in C & #|C| <= k].
Proof.
rewrite /schedule; elim: s cs => [|q s ih] [|D cs] //=.
- by rewrite andbT.
- by case: cs => [|? ?]; rewrite /= ?andbF.
- by case: s {ih} => [|? ?]; rewrite /= ?andbF.
by rewrite ih !andbA.
Qed.

(** Every schedule of [rcons s p] is a schedule of [s] and one cache more. *)
Lemma schedule_rconsP k s p cs : schedule k (rcons s p) cs ->
  exists cs' C, [/\ cs = rcons cs' C, schedule k s cs', p \in C & #|C| <= k].
Proof.
case/lastP: cs => [|cs C]; first by case: s.
by rewrite schedule_rcons => /and3P[]; exists cs, C.
Qed.

Lemma cost_from_rcons C cs D : cost_from C (rcons cs D) = cost_from C cs + loads (last C cs) D.
Proof. by elim: cs C => [|E cs ih] C /=; rewrite ?addn0 // ih addnA. Qed.

Lemma cost_rcons cs D : cost (rcons cs D) = cost cs + loads (last set0 cs) D.
Proof. exact: cost_from_rcons. Qed.

Lemma run_rcons A s p : run A (rcons s p) = rcons (run A s) (A (rcons s p)).
Proof.
rewrite /run size_rcons -addn1 iotaD map_cat add0n /= cats1; congr rcons.
  by apply/eq_in_map=> i; rewrite mem_iota /= => lt; rewrite -cats1 takel_cat.
by rewrite take_oversize // size_rcons.
Qed.

Lemma last_run k A s : valid k A -> last set0 (run A s) = A s.
Proof. by case=> A0 _; case/lastP: s => [|s p]; rewrite ?run_rcons ?last_rcons. Qed.

Lemma cost_of_rcons k A s p : valid k A ->
  cost_of A (rcons s p) = cost_of A s + loads (A s) (A (rcons s p)).
Proof. by move=> ok; rewrite /cost_of run_rcons cost_rcons (last_run _ ok). Qed.

(** What an algorithm does is a schedule, so all that holds for schedules holds for it. *)
Lemma run_schedule k A s : valid k A -> legal s -> schedule k s (run A s).
Proof.
move=> ok; elim/last_ind: s => // s p ih leg.
rewrite run_rcons schedule_rcons ih; last by case/legal_rcons: leg.
by case: (ok.2 s p leg) => -> ->.
Qed.

(** ** The definitions are not empty *)

(** The empty sequence costs nothing. *)
Lemma cost_of_nil A : cost_of A [::] = 0.
Proof. by []. Qed.

(** There are legal sequences of every length. *)
Lemma legal_exists T : 0 < l -> (forall j, exists p, layer p = j) -> exists2 s, legal s & size s = T.
Proof.
move=> l0 no_empty; elim: T => [|T [s leg size_s]]; first by exists [::]; rewrite //; apply: legal_nil.
have [p here] := no_empty (Ordinal (ltn_pmod T l0)); exists (rcons s p); last by rewrite size_rcons size_s.
by apply/legal_rcons; rewrite here size_s.
Qed.

(** Every sequence can be served, with one slot. *)
Lemma schedule_exists k s : 0 < k -> exists cs, schedule k s cs.
Proof.
move=> k0; exists [seq [set p] | p <- s]; rewrite /schedule.
by elim: s => //= p s ->; rewrite inE eqxx cards1 k0.
Qed.

(** A schedule pays for every page that is requested at least once. *)
Lemma cost_of_distinct k s cs : schedule k s cs -> #|last set0 cs :|: [set p in s]| <= cost cs.
Proof.
elim/last_ind: s cs => [|s p ih] cs; first by case: cs => //; rewrite /= setU0 cards0.
case/schedule_rconsP=> cs' [C [-> ok pC _]]; rewrite last_rcons cost_rcons.
apply: leq_trans (leq_add (ih _ ok) (leqnn _)).
apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card.
apply/subsetP=> q; rewrite !inE mem_rcons inE.
by case: (eqVneq q p) => [->|_]; rewrite ?pC //=; cases.
Qed.

(** So nobody serves a request for nothing. *)
Lemma cost_positive k s cs : schedule k s cs -> s != [::] -> 0 < cost cs.
Proof.
case: s => // p s sched _; apply: leq_trans (cost_of_distinct sched); rewrite card_gt0; apply/set0Pn; exists p.
by rewrite !inE eqxx orbT.
Qed.

(** Who is competitive against schedules with a large cache is so against those with a small one. *)
Lemma competitive_le h h' A p q b : h <= h' -> competitive h' A p q b -> competitive h A p q b.
Proof.
move=> le comp s cs leg sched; apply: comp => //; move: sched; rewrite /schedule.
elim: s cs {leg} => [|r s ih] [|C cs] //= /andP[/andP[-> size_C] /ih->].
by rewrite (leq_trans size_C le).
Qed.

(** What is a bound from below is not above what is one from above. *)
Lemma ratio_between h A p q p' q' b :
  ratio_at_least h A p q -> 0 < q' -> competitive h A p' q' b -> p * q' <= p' * q.
Proof. by move=> low q0 up; rewrite leqNgt; apply/negP=> less; apply: low up. Qed.

(** With as many slots as pages the ratio is 1, with additive constant 0. *)
Definition keep_all : algorithm := fun s => [set p in s].

Theorem ratio_one k : #|P| <= k -> valid k keep_all /\ competitive k keep_all 1 1 0.
Proof.
move=> all.
have ok : valid k keep_all.
  split=> [|s p _]; first by apply/setP=> q; rewrite !inE.
  by rewrite inE mem_rcons mem_head; split=> //; apply: leq_trans (max_card _) all.
split=> // s cs _ sched; rewrite !mul1n addn0.
apply: leq_trans (cost_of_distinct sched).
apply: leq_trans (subset_leq_card (subsetUr _ _)).
elim/last_ind: s cs sched => // s p ih cs /schedule_rconsP[cs' [C [_ sched _ _]]].
rewrite (cost_of_rcons _ _ ok); apply: (leq_trans (leq_add (ih _ sched) (leqnn _))).
rewrite /loads -(cardsID (keep_all s) (keep_all (rcons s p))) leq_add2r.
apply: subset_leq_card; apply/subsetP=> q; rewrite !inE mem_rcons inE => ->.
by rewrite orbT.
Qed.

End Model.
