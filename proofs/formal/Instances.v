(** * Instances as numbers

    What a checker computes with: pages are numbers, those of layer 0 first, and a set of pages is a map of the standard
    library. Here they are tied to the pages, layers and caches of the model. *)

From Coq Require Export NArith ZArith FMapPositive.
From Formal Require Export Model.

Module PM := PositiveMap.

(** Pages of layer 0, of the other layers in turn, and the slots of the cache. *)
Record instance := Instance { first : N; others : seq N; slots : N }.

Definition counts I := first I :: others I.
Definition page_count I := foldr N.add 0%num (counts I).

(** The layer of a page. *)
Fixpoint locate (cs : seq N) (p : N) : N :=
  if cs is c :: cs' then if N.ltb p c then 0%num else N.succ (locate cs' (N.sub p c)) else 0%num.

(** Pages and layers of the model. *)
Definition layers I : nat := (size (others I)).+1.
Definition P I : finType := [finType of 'I_(N.to_nat (page_count I)).-1.+1].
Definition num I (q : P I) : N := N.of_nat (nat_of_ord q).
Definition page I (p : N) : P I := inord (N.to_nat p).
Definition layer I (q : P I) : 'I_(layers I) := inord (N.to_nat (locate (counts I) (num q))).

Lemma eqbN a b : N.eqb a b = true -> a = b.
Proof. by move/N.eqb_eq. Qed.

Lemma ltbN a b : N.ltb a b = (N.to_nat a < N.to_nat b).
Proof. by apply/idP/idP => [/N.ltb_lt|lt]; [|apply/N.ltb_lt]; lia. Qed.

Lemma mulN a b : N.to_nat (N.mul a b) = N.to_nat a * N.to_nat b.
Proof. by rewrite N2Nat.inj_mul multE. Qed.

Lemma addN a b : N.to_nat (N.add a b) = N.to_nat a + N.to_nat b.
Proof. by rewrite N2Nat.inj_add plusE. Qed.

Lemma locate_lt cs p : N.lt p (foldr N.add 0%num cs) -> N.to_nat (locate cs p) < size cs.
Proof.
elim: cs p => [|c cs ih] p /=; first by lia.
case: ifP => [//|/N.ltb_ge le lt]; rewrite N2Nat.inj_succ ltnS; apply: ih; lia.
Qed.

Arguments locate : simpl never.

Section Instance.

Variable I : instance.

Lemma num_page p : N.ltb p (page_count I) -> num (page I p) = p.
Proof. by rewrite ltbN => lt; rewrite /num /page inordK; lia. Qed.

Lemma page_num (q : P I) : page I (num q) = q.
Proof. by rewrite /page /num Nat2N.id inord_val. Qed.

Lemma num_lt (q : P I) : N.ltb 0%num (page_count I) -> N.ltb (num q) (page_count I).
Proof. by rewrite !ltbN /num Nat2N.id; have := ltn_ord q; lia. Qed.

Lemma layer_page p : N.ltb p (page_count I) -> layer (page I p) = N.to_nat (locate (counts I) p) :> nat.
Proof.
move=> lt; rewrite /layer num_page // inordK //; apply: (@locate_lt (counts I)).
by move/N.ltb_lt: lt.
Qed.

(** ** Legal requests *)

Definition layersN : N := N.of_nat (layers I).
Definition next (j : N) : N := if N.eqb (N.succ j) layersN then 0%num else N.succ j.

Fixpoint legal_from (j : N) (rs : seq N) : bool :=
  if rs is p :: rs' then [&& N.ltb p (page_count I), N.eqb (locate (counts I) p) j & legal_from (next j) rs'] else true.

Lemma next_mod j t : N.to_nat j = t %% layers I -> N.to_nat (next j) = t.+1 %% layers I.
Proof.
move=> e; have lt := ltn_pmod t (isT : 0 < layers I); rewrite -addn1 -modnDml -e addn1 /next.
case: ifP => [/eqbN|/N.eqb_neq] h.
  by rewrite (_ : (N.to_nat j).+1 = layers I) ?modnn //; move: h; rewrite /layersN; lia.
by rewrite modn_small; move: h lt; rewrite /layersN -e; lia.
Qed.

Lemma legal_fromP j rs t : N.to_nat j = t %% layers I -> legal_from j rs ->
  [seq num q | q <- [seq page I p | p <- rs]] = rs /\
  forall past p future, [seq page I p | p <- rs] = past ++ p :: future -> layer p = (t + size past) %% layers I :> nat.
Proof.
elim: rs j t => [|p rs ih] j t e /=; first by split=> // -[].
case/and3P=> lt /eqbN here /(ih _ t.+1 (next_mod e))[same ok].
split; first by rewrite same num_page.
case=> [|q past] r future [<- eq]; first by rewrite layer_page // here addn0.
by rewrite (ok _ _ _ eq) addSnnS.
Qed.

Lemma legalP rs : legal_from 0%num rs ->
  [seq num q | q <- [seq page I p | p <- rs]] = rs /\ legal (@layer I) [seq page I p | p <- rs].
Proof. by move=> ok; have [] := @legal_fromP 0%num rs 0 (esym (mod0n _)) ok. Qed.

Lemma legal_range j rs : legal_from j rs -> all (fun p => N.ltb p (page_count I)) rs.
Proof. by elim: rs j => //= p rs ih j /and3P[-> _ /ih]. Qed.

(** ** Sets of pages *)

Definition pageset := PM.t unit.
Definition holds (p : N) (m : pageset) : bool := PM.mem (N.succ_pos p) m.
Definition put (p : N) (m : pageset) : pageset := PM.add (N.succ_pos p) tt m.
Definition drop_ (p : N) (m : pageset) : pageset := PM.remove (N.succ_pos p) m.

Definition pages_in (m : pageset) : {set P I} := [set q | holds (num q) m].

Lemma succ_pos_inj : injective N.succ_pos.
Proof. by move=> a b e; have := N.succ_pos_spec a; rewrite e N.succ_pos_spec; lia. Qed.

Lemma num_inj : injective (@num I).
Proof. by move=> a b /Nat2N.inj/val_inj. Qed.

Lemma holds_put p q m : holds q (put p m) = (q == p) || holds q m.
Proof.
rewrite /holds /put !PM.mem_find; case: (eqVneq q p) => [->|ne]; first by rewrite PM.gss.
by rewrite PM.gso // => /succ_pos_inj/eqP; rewrite (negbTE ne).
Qed.

Lemma holds_drop p q m : holds q (drop_ p m) = (q != p) && holds q m.
Proof.
rewrite /holds /drop_ !PM.mem_find; case: (eqVneq q p) => [->|ne]; first by rewrite PM.grs.
by rewrite PM.gro // => /succ_pos_inj/eqP; rewrite (negbTE ne).
Qed.

Lemma set_put p m : N.ltb p (page_count I) -> pages_in (put p m) = page I p |: pages_in m.
Proof.
by move=> lt; apply/setP=> q; rewrite !inE holds_put -{1}(num_page lt) (inj_eq num_inj).
Qed.

Lemma set_drop p m : N.ltb p (page_count I) -> pages_in (drop_ p m) = pages_in m :\ page I p.
Proof.
by move=> lt; apply/setP=> q; rewrite !inE holds_drop -{1}(num_page lt) (inj_eq num_inj).
Qed.

Lemma in_pages_in p m : N.ltb p (page_count I) -> (page I p \in pages_in m) = holds p m.
Proof. by move=> lt; rewrite inE num_page. Qed.

Lemma pages_in_empty : pages_in (PM.empty unit) = set0.
Proof. by apply/setP=> q; rewrite !inE /holds PM.mem_find PM.gempty. Qed.

(** ** Schedules

    An entry per request: -2 for a hit, -1 for a fault that takes a free slot, a page's number if that page leaves. *)

Fixpoint carry_out (m : pageset) (free faults : N) (rs : seq N) (es : seq Z) : option (pageset * N) :=
  match rs, es with
  | [::], [::] => Some (m, faults)
  | p :: rs', e :: es' =>
    if holds p m then if Z.eqb e (-2)%Z then carry_out m free faults rs' es' else None
    else if Z.eqb e (-1)%Z then
      if N.eqb free 0%num then None else carry_out (put p m) (N.pred free) (N.succ faults) rs' es'
    else if Z.ltb e 0%Z then None
    else let v := Z.to_N e in
      if N.ltb v (page_count I) && holds v m then carry_out (put p (drop_ v m)) free (N.succ faults) rs' es' else None
  | _, _ => None
  end.

Lemma carry_outP k m free f rs es m' f' : all (fun p => N.ltb p (page_count I)) rs ->
  #|pages_in m| + N.to_nat free = k -> carry_out m free f rs es = Some (m', f') ->
  exists cs, [/\ schedule k [seq page I p | p <- rs] cs, N.to_nat f' = N.to_nat f + cost_from (pages_in m) cs
    & last (pages_in m) cs = pages_in m'].
Proof.
elim: rs es m free f => [|p rs ih] [|e es] m free f //=.
  by move=> _ _ [-> ->]; exists [::]; rewrite addn0.
case/andP=> pI rsI room.
have step C m1 free1 f1 : pages_in m1 = C -> page I p \in C -> #|C| + N.to_nat free1 = k ->
    N.to_nat f1 = N.to_nat f + loads (pages_in m) C -> carry_out m1 free1 f1 rs es = Some (m', f') ->
    exists cs, [/\ schedule k (page I p :: [seq page I p | p <- rs]) cs, N.to_nat f' = N.to_nat f + cost_from (pages_in m) cs
      & last (pages_in m) cs = pages_in m'].
  move=> eqC pC size_C paid /ih[]; rewrite ?eqC // => cs [sched -> ends]; exists (C :: cs).
  by rewrite /schedule /= pC -{1}size_C leq_addr /= paid addnA.
case: ifP => [hit|miss].
  case: ifP => // _; apply: (step (pages_in m)); rewrite ?in_pages_in //.
  by rewrite /loads setDv cards0 addn0.
have out : page I p \notin pages_in m by rewrite in_pages_in // miss.
case: ifP => _.
  case: ifP => // /N.eqb_neq free0; apply: (step (page I p |: pages_in m)).
  - exact: set_put.
  - by rewrite !inE eqxx.
  - by rewrite cardsU1 out /=; move: room free0; lia.
  rewrite /loads setDUl setDv setU0 (_ : _ :\: _ = [set page I p]) ?cards1; first by lia.
  by apply/setP=> q; rewrite !inE; case: (eqVneq q (page I p)) => [->|_]; rewrite ?andbF // num_page // miss.
case: ifP => // _; case: ifP => // /andP[vI vm].
have ne : page I p != page I (Z.to_N e) by apply: contraNneq out => ->; rewrite in_pages_in.
apply: (step (page I p |: (pages_in m :\ page I (Z.to_N e)))).
- by rewrite set_put // set_drop.
- by rewrite !inE eqxx.
- rewrite cardsU1 !inE ne num_page // miss /= -room (cardsD1 (page I (Z.to_N e)) (pages_in m)).
  by rewrite in_pages_in // vm.
rewrite /loads (_ : _ :\: _ = [set page I p]) ?cards1; first by lia.
apply/setP=> q; rewrite !inE; case: (eqVneq q (page I p)) => [->|_]; first by rewrite num_page // miss.
by rewrite /=; case: (holds _ _); rewrite ?andbF.
Qed.

End Instance.
