(** * Phases

    A k-phase is a maximal stretch of requests to at most [k] distinct pages, counted from the start. [phases k s] is
    the number of phases that ended in [s], and the set of pages requested in the phase under way (the marked pages). *)

From Formal Require Export Model.

Section Phases.

Variables (P : finType) (k : nat).

Definition phase_step (before : nat * {set P}) (p : P) : nat * {set P} :=
  let: (ended, marks) := before in
  if #|p |: marks| <= k then (ended, p |: marks) else (ended.+1, [set p]).

Definition phases (s : seq P) : nat * {set P} := foldl phase_step (0, set0) s.

Definition ended s := (phases s).1.
Definition marks s := (phases s).2.

Lemma ended_rcons s p : ended (rcons s p) = ended s + (k < #|p |: marks s|).
Proof.
by rewrite /ended /marks /phases foldl_rcons; case: foldl => n M /=; case: leqP; rewrite ?addn0 ?addn1.
Qed.

Lemma marks_rcons s p : marks (rcons s p) = if #|p |: marks s| <= k then p |: marks s else [set p].
Proof. by rewrite /marks /phases foldl_rcons; case: foldl => n M /=; case: leqP. Qed.

Lemma marks_size s : 0 < k -> #|marks s| <= k.
Proof.
move=> k0; case/lastP: s => [|s p]; first by rewrite [marks _]/(set0) cards0.
by rewrite marks_rcons; case: ifP => // _; rewrite cards1.
Qed.

Lemma marks_sub (U : {set P}) s : {subset s <= U} -> marks s \subset U.
Proof.
elim/last_ind: s => [|s p ih] sU; first exact: sub0set.
have pU : p \in U by apply: sU; rewrite mem_rcons mem_head.
have /ih inU : {subset s <= U} by move=> q qs; apply: sU; rewrite mem_rcons inE qs orbT.
by rewrite marks_rcons; case: ifP; rewrite ?subUset ?sub1set ?pU.
Qed.

(** A phase ends when it has had [k] pages and another one is asked for. *)
Lemma phase_full s p : 0 < k -> k < #|p |: marks s| -> (p \notin marks s) /\ #|marks s| = k.
Proof.
move=> k0; have := marks_size s k0; rewrite cardsU1; case: (p \in marks s) => /=; rewrite ?add0n ?add1n.
  by move=> a b; move: (leq_trans b a); rewrite ltnn.
by move=> a b; split=> //; lia.
Qed.

End Phases.
