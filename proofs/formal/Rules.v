(** * Rules of policies

    What a policy does with one label per page, as docs/certificates.md and the labels of the policies' definitions say: 0 is
    not cached. A rule sees the label of the page requested, and of all pages together a summary that does not depend
    on their order. So it cannot tell pages apart, nor layers. *)

From Formal Require Export Instances Certificates.

Record rule := Rule {
  summary : N -> seq N -> N; (* slots, labels of all pages *)
  own : N -> N -> N -> N; (* slots, summary, label of the page requested: its next label *)
  other : N -> N -> N -> N -> N (* and the label of another page: its next label *)
}.

(** The policy as an algorithm. *)
Section Policy.

Variables (I : instance) (r : rule).

Definition labels : Type := {ffun P I -> N}.

Definition look (x : labels) : seq N := [seq x q | q <- enum (P I)].

Definition serve (x : labels) (p : P I) : labels :=
  let s := summary r (slots I) (look x) in
  [ffun q => if q == p then own r (slots I) s (x p) else other r (slots I) s (x p) (x q)].

Definition no_labels : labels := [ffun=> 0%num].
Definition cached (x : labels) : {set P I} := [set q | N.ltb 0%num (x q)].

Definition policy : algorithm (P I) := machine no_labels serve cached.

Lemma policy_cold : cached no_labels = set0.
Proof. by apply/setP=> q; rewrite !inE ffunE. Qed.

End Policy.

Definition symmetric r := forall k a b, perm_eq a b -> summary r k a = summary r k b.

(** ** What may be summed up *)

Lemma foldr_perm (T : eqType) U (f : T -> U -> U) z (a b : seq T) :
  (forall x y w, f x (f y w) = f y (f x w)) -> perm_eq a b -> foldr f z a = foldr f z b.
Proof.
move=> comm; elim: a b => [|x a ih] b eq; first by case: b eq => // y b /perm_size.
have xb : x \in b by rewrite -(perm_mem eq) mem_head.
have [b1 [b2 e]] : exists b1 b2, b = b1 ++ x :: b2 by case/splitPr: xb => b1 b2; exists b1, b2.
rewrite e in eq *; rewrite /= (ih (b1 ++ b2)); last first.
  by rewrite -(perm_cons x); apply: perm_trans eq _; rewrite -cat1s perm_catCA.
by elim: (b1) => //= y b1' <-; rewrite comm.
Qed.

Definition count_cached : seq N -> N := foldr (fun x n => if N.eqb x 0%num then n else N.succ n) 0%num.
Definition full (k : N) (a : seq N) : bool := N.eqb (count_cached a) k.

Lemma count_cached_perm a b : perm_eq a b -> count_cached a = count_cached b.
Proof. by apply: foldr_perm => x y n; case: ifP; case: ifP. Qed.

Lemma count_cachedE I (x : labels I) : #|cached x| = N.to_nat (count_cached (look x)).
Proof.
rewrite cardE /enum_mem size_filter -enumT /look; elim: (enum _) => //= a s ih; rewrite inE.
by case: (x a) => [|z] /=; rewrite ?N2Nat.inj_succ ih.
Qed.

(** ** The rules *)

Definition nothing (k : N) (a : seq N) : N := 0%num.
Definition if_full (k : N) (a : seq N) : N := if full k a then 1%num else 0%num.

(** Recency ranks: younger pages than the requested one age by one; rank k + 1 leaves. *)
Definition age (k r x : N) : N :=
  if N.eqb x 0%num then 0%num
  else if N.eqb r 0%num then if N.ltb x k then N.succ x else 0%num
  else if N.ltb x r then N.succ x else x.
Definition lru := Rule nothing (fun _ _ _ => 1%num) (fun k _ r x => age k r x).

(** Arrival ranks: as LRU, but a hit changes nothing. *)
Definition on_faults (r : rule) := Rule (summary r)
  (fun k s y => if N.eqb y 0%num then own r k s y else y)
  (fun k s y x => if N.eqb y 0%num then other r k s y x else x).
Definition fifo := on_faults lru.

(** Flush when full. *)
Definition fwf := Rule if_full (fun _ _ _ => 1%num)
  (fun _ s r x => if N.eqb r 0%num && N.eqb s 1%num then 0%num else x).

(** Recency ranks; with a full cache the most recent page leaves, and the new one takes its rank. *)
Definition mru := Rule if_full (fun _ _ _ => 1%num)
  (fun k s r x =>
     if N.eqb x 0%num then 0%num
     else if N.eqb r 0%num then if N.eqb s 1%num then if N.eqb x 1%num then 0%num else x else N.succ x
     else if N.ltb x r then N.succ x else x).
Definition lifo := on_faults mru.

(** 2 (rank) + mark; a fault with all pages marked unmarks all, the oldest unmarked page leaves. The summary of a full
    cache is the label of that page, and one more if all are unmarked first. *)
Definition oldest_unmarked : seq N -> N := foldr (fun x m => if N.even x then N.max x m else m) 0%num.
Definition oldest : seq N -> N := foldr (fun x m => N.max (N.pred x) m) 0%num.
Definition leaves (k : N) (a : seq N) : N :=
  if full k a then let v := oldest_unmarked a in if N.eqb v 0%num then N.succ (oldest a) else v else 0%num.

(** Pages of a smaller rank than [v], with its mark or without, age by one. *)
Definition make_room (v x : N) : N := if N.ltb (N.div2 x) (N.div2 v) then N.add x 2%num else x.

Definition mark_lru := Rule leaves (fun _ _ _ => 3%num)
  (fun _ s r x =>
     if N.eqb x 0%num then 0%num
     else if N.eqb r 0%num then
       if N.eqb s 0%num then N.add x 2%num
       else let x' := if N.odd s then N.double (N.div2 x) else x in
         if N.eqb x' (N.double (N.div2 s)) then 0%num else make_room s x'
     else make_room r x).

(** As above, but a hit only marks. *)
Definition mark_fifo := Rule leaves
  (fun k s r => if N.eqb r 0%num then own mark_lru k s r else if N.even r then N.succ r else r)
  (fun k s r x => if N.eqb r 0%num then other mark_lru k s r x else x).

Inductive name := LRU | FIFO | LIFO | MRU | FWF | MARK_LRU | MARK_FIFO.

Definition rule_of (n : name) : rule :=
  match n with
  | LRU => lru | FIFO => fifo | LIFO => lifo | MRU => mru | FWF => fwf | MARK_LRU => mark_lru | MARK_FIFO => mark_fifo
  end.

Lemma rule_symmetric n : symmetric (rule_of n).
Proof.
have if_full_perm k a b : perm_eq a b -> if_full k a = if_full k b.
  by move=> eq; rewrite /if_full /full (count_cached_perm eq).
have leaves_perm k a b : perm_eq a b -> leaves k a = leaves k b.
  move=> eq; rewrite /leaves /full (count_cached_perm eq); case: ifP => // _.
  have -> : oldest_unmarked a = oldest_unmarked b.
    by apply: foldr_perm eq => x y m; case: ifP; case: ifP => // _ _; lia.
  by have -> : oldest a = oldest b by apply: foldr_perm eq => x y m; lia.
by case: n => k a b eq //=; [apply: if_full_perm|apply: if_full_perm|apply: if_full_perm|apply: leaves_perm|apply: leaves_perm].
Qed.
