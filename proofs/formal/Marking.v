(** * Marking algorithms and LRU: at most k / (k - h + 1), with additive constant 0

    A marking algorithm loads nothing but the page requested, on a fault, and keeps the marked pages, that is those
    requested in the phase under way. Against a cache of [h <= k] pages its ratio is at most [k / (k - h + 1)]; for
    [h = k] this is [k]. LRU, which keeps the [k] pages requested last, is one of them. *)

From Formal Require Import Phases.

Section Marking.

Variables (P : finType) (l : nat) (layer : P -> 'I_l) (k : nat).

(** Of [A] on legal sequences: hits load nothing, faults load one page, and marked pages are cached. *)
Definition marking (A : algorithm P) : Prop :=
  forall s p, legal layer (rcons s p) ->
    A (rcons s p) \subset p |: A s /\ marks k (rcons s p) \subset A (rcons s p).

(** Every schedule pays once for every phase that has ended, and more. *)
Lemma offline_by_phases h (s : seq P) cs : 0 < k -> h <= k -> schedule h s cs ->
  (k - h).+1 * ended k s + #|last set0 cs :|: marks k s| <= cost cs.
Proof.
move=> k0 hk; elim/last_ind: s cs => [|s p ih] cs.
  by case: cs => // _; rewrite /= setU0 cards0 /ended /= muln0.
case/schedule_rconsP=> cs' [C [-> sched pC hC]]; rewrite last_rcons cost_rcons ended_rcons marks_rcons.
have := ih _ sched; set D := last _ _; set M := marks k s => ih'.
have grows : #|C :|: (p |: M)| <= #|D :|: M| + loads D C.
  apply: leq_trans (leq_card_setU _ _).1; apply: subset_leq_card; apply/subsetP=> z; rewrite !inE.
  by case: (eqVneq z p) => [->|_]; rewrite ?pC //=; cases.
case: leqP => [_|full]; first by rewrite addn0; move: (_ * _) ih' => X; lia.
have -> : C :|: [set p] = C by apply/setP=> z; rewrite !inE; case: (eqVneq z p) => [->|_]; rewrite ?pC ?orbF.
have : k < #|C :|: (p |: M)| by apply: leq_trans full _; apply: subset_leq_card (subsetUr _ _).
by rewrite mulnDr muln1; move: (_ * ended _ _) (#|D :|: M|) ih' grows hC => X Y; lia.
Qed.

Lemma marking_by_phases A s : 0 < k -> valid layer k A -> marking A -> legal layer s ->
  cost_of A s <= k * ended k s + #|marks k s|.
Proof.
move=> k0 ok mark; elim/last_ind: s => // s p ih leg.
have [leg' _] := (legal_rcons layer s p).1 leg; have := ih leg'.
have kept : marks k s \subset A s.
  case/lastP: (s) leg' => [|s' p'] leg'; first exact: sub0set.
  by case: (mark _ _ leg').
have paid : loads (A s) (A (rcons s p)) <= (p \notin A s).
  have [sub _] := mark _ _ leg; rewrite /loads.
  case: (boolP (p \in A s)) => [hit|_].
    by rewrite leqn0 cards_eq0 setD_eq0; apply: subset_trans sub _; rewrite subUset sub1set hit subxx.
  by rewrite /= -(cards1 p) subset_leq_card // subDset setUC.
have once := leq_trans paid (leq_b1 _).
have free : p \in marks k s -> loads (A s) (A (rcons s p)) = 0.
  by move/(subsetP kept)=> hit; apply/eqP; rewrite -leqn0 (leq_trans paid) // hit.
rewrite (cost_of_rcons _ _ ok) ended_rcons marks_rcons; move: (loads _ _) (cost_of _ _) {paid} once free => a c.
case: leqP => [_|full].
  by rewrite addn0 cardsU1; case: (p \in marks k s) => once free /=; [rewrite (free isT)|]; lia.
by have [_ ->] := phase_full k0 full; rewrite cards1 mulnDr muln1; move: (_ * ended _ _) => X; lia.
Qed.

Theorem marking_upper A h : 0 < k -> h <= k -> valid layer k A -> marking A ->
  competitive layer h A k (k - h + 1) 0.
Proof.
move=> k0 hk ok mark s cs leg sched; rewrite addn0 addn1.
have opt := offline_by_phases k0 hk sched; have alg := marking_by_phases k0 ok mark leg.
have h0 : (k - h).+1 * #|marks k s| <= k * #|last set0 cs :|: marks k s|.
  case: (posnP h) sched {opt} => [->|h_pos] sched; last first.
    by apply: leq_mul; [lia|apply: subset_leq_card; apply: subsetUr].
  case/lastP: s sched {leg alg} => [|s p]; first by rewrite [marks _ _]/(set0) cards0 muln0.
  by case/schedule_rconsP=> cs' [C [_ _ pC]]; rewrite leqNgt card_gt0 => /negP[]; apply/set0Pn; exists p.
move: opt h0; move: (k - h).+1 => d opt h0.
have : d * cost_of A s <= d * (k * ended k s + #|marks k s|) by rewrite leq_mul2l alg orbT.
have : k * (d * ended k s + #|last set0 cs :|: marks k s|) <= k * cost cs by rewrite leq_mul2l opt orbT.
by rewrite !mulnDr mulnCA; move: (d * (k * _)) => X; lia.
Qed.

(** ** LRU *)

(** The pages requested so far, the one requested last first. *)
Definition recent (s : seq P) : seq P := rev (undup s).

Definition lru : algorithm P := fun s => [set p in take k (recent s)].

Lemma recent_rcons s p : recent (rcons s p) = p :: [seq q <- recent s | q != p].
Proof. by rewrite /recent undup_rcons rev_rcons filter_rev. Qed.

Lemma recent_uniq s : uniq (recent s).
Proof. by rewrite rev_uniq undup_uniq. Qed.

Lemma mem_take_le m n (R : seq P) p : m <= n -> p \in take m R -> p \in take n R.
Proof. by move=> le; rewrite -(take_take le R); apply: mem_take. Qed.

Lemma take_miss n (R : seq P) p : p \notin take n R -> take n [seq q <- R | q != p] = take n R.
Proof.
elim: n R => [|n ih] R; first by rewrite !take0.
case: R => [|q R] //=; rewrite inE => /norP[ne out].
by rewrite eq_sym ne /= ih.
Qed.

Lemma take_hit n (R : seq P) p : uniq R -> p \in take n R ->
  take n.-1 [seq q <- R | q != p] = [seq q <- take n R | q != p].
Proof.
elim: n R => [|n ih] R; first by rewrite take0.
case: R => [|q R] //= /andP[qR uR]; rewrite inE; case: (eqVneq q p) => [<-|ne] /=.
  have same (S : seq P) : q \notin S -> [seq x <- S | x != q] = S.
    by move=> out; apply/all_filterP/allP=> x xS; apply: contraNneq out => <-.
  by move=> _; rewrite !same //; apply: contra qR => /mem_take.
move=> hit.
by case: n ih hit => [|n] ih hit; rewrite ?take0 // in hit *; rewrite /= -ih.
Qed.

Lemma set_cons_take n (R : seq P) p : uniq R -> p \in take n R ->
  [set q in p :: take n.-1 [seq q <- R | q != p]] = [set q in take n R].
Proof.
move=> uR hit; rewrite take_hit //; apply/setP=> q; rewrite !inE mem_filter.
by case: (eqVneq q p) => [->|].
Qed.

Hypothesis k0 : 0 < k.

(** A hit changes nothing. On a fault LRU loads the page; if the cache is full, the page requested least recently,
    which is the last of the [k] most recent ones, leaves. *)
Lemma lru_step s p :
  lru (rcons s p) = if p \in lru s then lru s else p |: [set q in take k.-1 (recent s)].
Proof.
rewrite /lru recent_rcons inE -{1}(prednK k0) /=; case: ifP => [hit|/negbT miss].
  by rewrite set_cons_take // recent_uniq.
rewrite take_miss; first by apply/setP=> q; rewrite !inE.
by apply: contra miss; apply: mem_take_le; apply: leq_pred.
Qed.

Lemma lru_valid : valid layer k lru.
Proof.
split=> [|s p _]; first by apply/setP=> q; rewrite !inE.
split; last by rewrite cardsE; apply: leq_trans (card_size _) _; rewrite size_take; case: ltnP.
by rewrite inE recent_rcons -[X in take X _](prednK k0) /= mem_head.
Qed.

(** The marked pages are the pages requested last. *)
Lemma marks_recent s : marks k s = [set p in take #|marks k s| (recent s)].
Proof.
elim/last_ind: s => [|s p ih]; first by rewrite [marks _ _]/(set0) cards0; apply/setP=> q; rewrite !inE.
rewrite marks_rcons recent_rcons; case: leqP => _; last first.
  by rewrite cards1 /= take0; apply/setP=> q; rewrite !inE.
rewrite cardsU1; case: (boolP (p \in marks k s)) => [hit|miss] /=.
  have m0 : 0 < #|marks k s| by rewrite card_gt0; apply/set0Pn; exists p.
  rewrite add0n -(prednK m0) /= set_cons_take ?recent_uniq //; last by move: hit; rewrite {1}ih inE.
  by rewrite -ih; apply/setP=> q; rewrite !inE; case: (eqVneq q p) => [->|].
rewrite take_miss; last by move: miss; rewrite {1}ih inE.
by rewrite {1}ih; apply/setP=> q; rewrite !inE.
Qed.

Lemma lru_marking : marking lru.
Proof.
move=> s p _; split.
  rewrite lru_step; case: ifP => _; first exact: subsetUr.
  apply: setUS; apply/subsetP=> q; rewrite !inE; exact: mem_take_le (leq_pred k).
rewrite marks_recent; apply/subsetP=> q; rewrite !inE.
exact: mem_take_le (marks_size _ k0).
Qed.

Theorem lru_upper h : h <= k -> competitive layer h lru k (k - h + 1) 0.
Proof. by move=> hk; apply: marking_upper => //; [exact: lru_valid|exact: lru_marking]. Qed.

End Marking.
