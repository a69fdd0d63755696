(** * States of a certificate

    A state is listed as one pair of labels per page, the policy's and OPT's, layer by layer from the layer served next on;
    pages of a layer are alike. [like] says which states of policy and OPT it stands for. Listed states are found in a
    tree, by bits of their labels; nothing but what was put in is ever found there. *)

From Formal Require Export Labels.

Definition code : Type := N * N.
Definition part : Type := seq code.

(** ** Sorting and comparing *)

Definition code_le (a b : code) : bool :=
  match N.compare a.1 b.1 with Lt => true | Gt => false | Eq => N.leb a.2 b.2 end.
Definition code_eq (a b : code) : bool := N.eqb a.1 b.1 && N.eqb a.2 b.2.

Fixpoint insert (c : code) (s : part) : part :=
  if s is d :: s' then if code_le c d then c :: s else d :: insert c s' else [:: c].
Fixpoint sorted (s : part) : part := if s is c :: s' then insert c (sorted s') else [::].

Fixpoint without (c : code) (s : part) : part :=
  if s is d :: s' then if code_eq c d then s' else d :: without c s' else [::].

(** Neighbours that are equal count once. *)
Fixpoint distinct (s : part) : part :=
  if s is c :: s' then if s' is d :: _ then if code_eq c d then distinct s' else c :: distinct s' else [:: c] else [::].

Fixpoint part_eq (a b : part) : bool :=
  match a, b with [::], [::] => true | c :: a', d :: b' => code_eq c d && part_eq a' b' | _, _ => false end.
Fixpoint parts_eq (a b : seq part) : bool :=
  match a, b with [::], [::] => true | c :: a', d :: b' => part_eq c d && parts_eq a' b' | _, _ => false end.

Lemma code_eqP c d : code_eq c d = (c == d).
Proof.
case: c d => [a b] [a' b']; rewrite /code_eq /= xpair_eqE.
by congr (_ && _); apply/N.eqb_spec/eqP.
Qed.

Lemma part_eqP a b : part_eq a b -> a = b.
Proof. by elim: a b => [|c a ih] [|d b] //=; rewrite code_eqP => /andP[/eqP-> /ih->]. Qed.

Lemma parts_eqP a b : parts_eq a b -> a = b.
Proof. by elim: a b => [|c a ih] [|d b] //= /andP[/part_eqP-> /ih->]. Qed.

Lemma perm_swap (c d : code) s : perm_eq (c :: d :: s) (d :: c :: s).
Proof. by rewrite -[c :: d :: s]/([:: c] ++ [:: d] ++ s) perm_catCA. Qed.

Lemma perm_sorted s : perm_eq (sorted s) s.
Proof.
elim: s => //= c s ih; apply: (@perm_trans _ (c :: sorted s)); last by rewrite perm_cons.
elim: (sorted s) => //= d t ih'; case: ifP => // _.
by rewrite -(perm_cons d) in ih'; apply: perm_trans ih' _; apply: perm_swap.
Qed.

Lemma perm_without c s : c \in s -> perm_eq s (c :: without c s).
Proof.
elim: s => //= d s ih; rewrite inE code_eqP; case: eqP => [->|_] //= /ih eq.
rewrite -(perm_cons d) in eq; apply: perm_trans eq _; apply: perm_swap.
Qed.

Lemma mem_distinct c s : c \in s -> c \in distinct s.
Proof.
elim: s => //= d [|e s] ih; first by rewrite !inE.
rewrite in_cons code_eqP; case: (d =P e) => [->|_]; last first.
  by case/orP=> [/eqP->|/ih e1]; rewrite [_ \in _ :: _]in_cons ?eqxx // e1 orbT.
by move=> h; apply: ih; case/orP: h => // /eqP->; apply: mem_head.
Qed.

(** ** The tree *)

Fixpoint bits_pos (p : positive) (rest : seq bool) : seq bool :=
  match p with xH => true :: rest | xO p' => false :: bits_pos p' rest | xI p' => true :: bits_pos p' rest end.
Definition bits_N (n : N) (rest : seq bool) : seq bool :=
  match n with N0 => false :: rest | Npos p => true :: bits_pos p rest end.
Fixpoint bits_part (s : part) (rest : seq bool) : seq bool :=
  if s is (a, b) :: s' then bits_N a (bits_N b (bits_part s' rest)) else rest.

Section Tree.

(** What is put in, and the way to it. *)
Variables (E : Type) (way_of : E -> seq bool).

(** Those whose ways are equal share a leaf; those whose ways end at a node are kept there. *)
Inductive tree := Empty | Leaf (es : seq E) | Node (here : seq E) (zero one : tree).

Fixpoint find_among (es : seq E) (test : E -> bool) : option E :=
  if es is e :: es' then if test e then Some e else find_among es' test else None.

Fixpoint find_at (t : tree) (way : seq bool) (test : E -> bool) : option E :=
  match t with
  | Empty => None
  | Leaf es => find_among es test
  | Node here zero one => if way is b :: way' then find_at (if b then one else zero) way' test else find_among here test
  end.

(** Two part where their ways do. *)
Fixpoint fork (old : seq E) (new : E) (way way' : seq bool) : tree :=
  match way, way' with
  | a :: way1, b :: way1' =>
    if a then if b then Node [::] Empty (fork old new way1 way1') else Node [::] (Leaf [:: new]) (Leaf old)
    else if b then Node [::] (Leaf old) (Leaf [:: new]) else Node [::] (fork old new way1 way1') Empty
  | [::], b :: _ => if b then Node old Empty (Leaf [:: new]) else Node old (Leaf [:: new]) Empty
  | a :: _, [::] => if a then Node [:: new] Empty (Leaf old) else Node [:: new] (Leaf old) Empty
  | [::], [::] => Leaf (new :: old)
  end.

Fixpoint after (n : seq bool) (way : seq bool) : seq bool :=
  if n is _ :: n' then if way is _ :: way' then after n' way' else [::] else way.

(** [done] is the way so far, and only its length matters. *)
Fixpoint add_at (t : tree) (done way : seq bool) (e : E) : tree :=
  match t with
  | Empty => Leaf [:: e]
  | Leaf old => fork old e (if old is d :: _ then after done (way_of d) else [::]) way
  | Node here zero one =>
    if way is b :: way' then
      if b then Node here zero (add_at one (b :: done) way' e) else Node here (add_at zero (b :: done) way' e) one
    else Node (e :: here) zero one
  end.

Definition add_one t e := add_at t [::] (way_of e) e.

Fixpoint inside (t : tree) (e : E) : Prop :=
  match t with Empty => False | Leaf es => List.In e es | Node here zero one => List.In e here \/ inside zero e \/ inside one e end.

Lemma find_inside t way test e : find_at t way test = Some e -> inside t e /\ test e.
Proof.
have among es : find_among es test = Some e -> List.In e es /\ test e.
  by elim: es => //= d es ih; case: ifP => [ok [<-]|_ /ih[]]; auto.
elim: t way => //= [es|here zero ihz one iho] way; first exact: among.
by case: way => [/among[]|[] way]; [auto|case/iho|case/ihz] => ? ?; auto.
Qed.

Lemma inside_fork old new way way' e : inside (fork old new way way') e -> e = new \/ List.In e old.
Proof.
elim: way way' => [|a way ih] [|b way'] /=; first by case; auto.
- by case: b => /=; firstorder.
- by case: a => /=; firstorder.
have {}ih := ih way'; by case: a; case: b => /=; firstorder.
Qed.

Lemma inside_add t d e : inside (add_one t d) e -> e = d \/ inside t e.
Proof.
rewrite /add_one; move: (way_of _) [::] => way done; elim: t way done => /= [|old|here zero ihz one iho] way done; first by case; auto.
  by case/inside_fork; auto.
case: way => [|[] way] /=; first by intuition.
  by case=> [|[z|/iho[->|o]]]; auto.
by case=> [|[/ihz[->|z]|o]]; auto.
Qed.

Definition plant (es : seq E) : tree := foldl add_one Empty es.

Lemma inside_list es e : inside (plant es) e -> List.In e es.
Proof.
rewrite /plant; suff gen t : inside (foldl add_one t es) e -> List.In e es \/ inside t e by case/gen.
elim: es t => [|d es ih] t /=; first by auto.
by case/ih=> [|/inside_add[->|]]; auto.
Qed.

End Tree.

Arguments Empty {E}.

(** ** Entries *)

Record entry := Entry { parts : seq part; served : N; place : positive; phi : Z }.

Fixpoint bits (ps : seq part) (rest : seq bool) : seq bool :=
  if ps is s :: ps' then bits_part s (bits ps' rest) else rest.
Definition path (ps : seq part) (t : N) : seq bool := bits ps (bits_N t [::]).
Definition path_of (e : entry) : seq bool := path (parts e) (served e).

Definition find_state (t : tree entry) ps served_ : option entry :=
  find_at t (path ps served_) (fun e => N.eqb (served e) served_ && parts_eq (parts e) ps).

Lemma find_stateP t ps j e : find_state t ps j = Some e -> [/\ inside t e, parts e = ps & served e = j].
Proof. by move=> found; have [in_e /andP[/eqbN eq /parts_eqP same]] := find_inside found. Qed.

(** ** What a state stands for *)

Section Like.

Variable I : instance.
Implicit Types (z : P I -> code) (ps : seq part).

Definition of_layer (j : nat) : seq (P I) := [seq q <- enum (P I) | layer q == j :> nat].
Definition part_of z (j : nat) : part := [seq z q | q <- of_layer j].

(** The parts, from the layer of request number [t] on. *)
Definition parts_of z (t : nat) : seq part := [seq part_of z ((t + i) %% layers I) | i <- iota 0 (layers I)].

Definition like ps z t := all2 perm_eq ps (parts_of z t).

Lemma parts_of_first z t :
  parts_of z t = part_of z (t %% layers I) :: [seq part_of z ((t.+1 + i) %% layers I) | i <- iota 0 (size (others I))].
Proof.
rewrite /parts_of [X in iota 0 X]/layers /= addn0; congr (_ :: _).
by rewrite -[1]addn0 iotaDl -map_comp; apply: eq_map => i; rewrite /= addnA addn1.
Qed.

Lemma parts_of_last z t :
  parts_of z t = rcons [seq part_of z ((t + i) %% layers I) | i <- iota 0 (size (others I))] (part_of z ((t + size (others I)) %% layers I)).
Proof. by rewrite /parts_of [X in iota 0 X]/layers -addn1 iotaD map_cat cats1 add0n. Qed.

Lemma all2_map (T U : eqType) (f : seq T -> seq U) (a b : seq (seq T)) :
  (forall s s', perm_eq s s' -> perm_eq (f s) (f s')) -> all2 perm_eq a b -> all2 perm_eq (map f a) (map f b).
Proof. by move=> ok; elim: a b => [|s a ih] [|s' b] //= /andP[/ok-> /ih->]. Qed.

Lemma all2_rcons (T : eqType) (a b : seq (seq T)) s s' :
  all2 perm_eq a b -> perm_eq s s' -> all2 perm_eq (rcons a s) (rcons b s').
Proof. by elim: a b => [|x a ih] [|y b] //= => [_ ->//|/andP[-> /ih ok] /ok]. Qed.

Lemma like_sorted ps z t : like ps z t -> like (map sorted ps) z t.
Proof.
rewrite /like; elim: ps (parts_of z t) => [|s ps ih] [|s' b] //= /andP[eq /ih->]; rewrite andbT.
exact: perm_trans (perm_sorted s) eq.
Qed.

Lemma of_layer_uniq j : uniq (of_layer j).
Proof. by rewrite filter_uniq // enum_uniq. Qed.

Section Step.

Variables (z z' : P I -> code) (t : nat) (p : P I) (new : code) (mv : code -> code).
Hypotheses (here : layer p = t %% layers I :> nat) (z'E : forall q, z' q = if q == p then new else mv (z q)).

Lemma part_elsewhere j : j != t %% layers I -> part_of z' j = map mv (part_of z j).
Proof.
move=> ne; rewrite /part_of -map_comp; apply/eq_in_map=> q; rewrite mem_filter => /andP[/eqP lq _].
by rewrite z'E; case: eqP => // e; rewrite -lq e here eqxx in ne.
Qed.

Lemma part_here p0 : perm_eq p0 (part_of z (t %% layers I)) ->
  z p \in p0 /\ perm_eq (new :: map mv (without (z p) p0)) (part_of z' (t %% layers I)).
Proof.
set Q := of_layer (t %% layers I) => eq.
have pQ : p \in Q by rewrite mem_filter here eqxx mem_enum.
have in0 : z p \in p0 by rewrite (perm_mem eq) map_f.
split=> //; have rest : perm_eq (without (z p) p0) (map z (rem p Q)).
  rewrite -(perm_cons (z p)) perm_sym; apply: perm_trans (perm_without in0); rewrite perm_sym.
  by apply: (perm_trans eq); rewrite -[z p :: _]/(map z (p :: rem p Q)); apply: perm_map; apply: perm_to_rem.
rewrite perm_sym; apply: (@perm_trans _ (map z' (p :: rem p Q))); first by apply: perm_map; apply: perm_to_rem.
rewrite /= z'E eqxx perm_cons perm_sym; apply: perm_trans (perm_map mv rest) _.
rewrite -map_comp (_ : map _ (rem p Q) = map z' (rem p Q)) //; apply/eq_in_map=> q.
by rewrite mem_rem_uniq ?of_layer_uniq // inE => /andP[/negbTE ne _]; rewrite /= z'E ne.
Qed.

Lemma like_step p0 rest : like (p0 :: rest) z t ->
  z p \in p0 /\ like (rcons (map (map mv) rest) (new :: map mv (without (z p) p0))) z' t.+1.
Proof.
rewrite /like parts_of_first /= => /andP[/part_here[in0 eq0] eqs]; split=> //.
rewrite parts_of_last; apply: all2_rcons; last by rewrite addSnnS modnDr.
rewrite (_ : [seq part_of z' _ | i <- _] = map (map mv) [seq part_of z ((t.+1 + i) %% layers I) | i <- iota 0 (size (others I))]).
  by apply: all2_map eqs => s s'; apply: perm_map.
rewrite -map_comp; apply/eq_in_map=> i; rewrite mem_iota /= => lt; apply: part_elsewhere.
by rewrite addSnnS -{2}[t]addn0 eqn_modDl mod0n modn_small.
Qed.

End Step.

Lemma like_all ps z t : like ps z t -> perm_eq (flatten ps) [seq z q | q <- enum (P I)].
Proof.
move=> eq; apply: (@perm_trans _ (flatten (parts_of z t))).
  move: eq; rewrite /like; elim: ps (parts_of z t) => [|s ps ih] [|s' b] //= /andP[e1 e2]; apply: (perm_cat e1); exact: ih.
set J := [seq (t + i) %% layers I | i <- iota 0 (layers I)].
have uJ : uniq J.
  rewrite map_inj_in_uniq ?iota_uniq // => i j; rewrite !mem_iota /= => lti ltj /eqP.
  by rewrite eqn_modDl !modn_small // => /eqP.
have allJ : {subset iota 0 (layers I) <= J}.
  have sub : {subset J <= iota 0 (layers I)} by move=> j /mapP[i _ ->]; rewrite mem_iota /= ltn_pmod.
  by move=> j; have [] := uniq_min_size uJ sub; rewrite ?size_map // => _ ->.
have part_J S : uniq S -> perm_eq (flatten [seq part_of z j | j <- S]) [seq z q | q <- enum (P I) & nat_of_ord (layer q) \in S].
  elim: S => [|j S ih] /=; first by rewrite (eq_filter (a2 := pred0)) ?filter_pred0 // => q; rewrite in_nil.
  case/andP=> js us; apply: perm_trans (perm_cat (perm_refl _) (ih us)) _.
  rewrite /part_of /of_layer -map_cat; apply: perm_map; rewrite perm_sym; move: (enum (P I)) => E.
  rewrite -(perm_filterC (fun q => layer q == j :> nat) [seq q <- _ | _]) -!filter_predI.
  apply: perm_cat.
    rewrite (eq_filter (a2 := fun q => layer q == j :> nat)); first exact: perm_refl.
    by move=> q /=; rewrite in_cons; case: eqP.
  rewrite (eq_filter (a2 := fun q => nat_of_ord (layer q) \in S)); first exact: perm_refl.
  by move=> q /=; rewrite in_cons; case: eqP => [->|_] //=; rewrite (negbTE js).
apply: (@perm_trans _ (flatten [seq part_of z j | j <- J])); first by rewrite /J -map_comp.
apply: (perm_trans (part_J J uJ)); rewrite (_ : [seq q <- enum (P I) | _] = enum (P I)) //.
apply/all_filterP/allP=> q _; apply: allJ; rewrite mem_iota /=; exact: ltn_ord.
Qed.

End Like.

(** ** What a request makes of a state *)

Definition labels_of (ps : seq part) : seq N := [seq c.1 | c <- flatten ps].
Definition work_of (ps : seq part) : seq N := [seq c.2 | c <- flatten ps].

Section Request.

Variables (I : instance) (r : rule) (h : N).

(** What a request of a page with labels [c] makes of the labels of the others, and of its own. *)
Definition move (s : N) (full_ : bool) (c d : code) : code :=
  (other r (slots I) s c.1 d.1, moved h full_ c.2 d.2).
Definition moves_to (s : N) (c : code) : code := (own r (slots I) s c.1, h).

Definition requested s full_ (c : code) (p0 : part) (rest : seq part) : seq part :=
  let mv := move s full_ c in
  rcons [seq sorted (map mv t) | t <- rest] (sorted (moves_to s c :: map mv (without c p0))).

Definition full_parts (ps : seq part) : bool := N.leb h (positives (work_of ps)).

Implicit Types (x y : labels I).

Definition both x y : P I -> code := fun a => (x a, y a).

Lemma fst_perm ps x y t : like ps (both x y) t -> perm_eq (labels_of ps) (look x).
Proof. by move/like_all/(perm_map fst); rewrite -map_comp. Qed.

Lemma snd_perm ps x y t : like ps (both x y) t -> perm_eq (work_of ps) (look y).
Proof. by move/like_all/(perm_map snd); rewrite -map_comp. Qed.

Lemma full_partsE ps x y t : like ps (both x y) t -> full_parts ps = full_labels h y.
Proof. by move=> lk; rewrite /full_parts /full_labels /positives (count_cached_perm (snd_perm lk)). Qed.

Lemma like_requested p0 rest x y t a : like (p0 :: rest) (both x y) t -> layer a = t %% layers I :> nat ->
  both x y a \in p0 /\ like (requested (summary r (slots I) (look x)) (full_labels h y) (both x y a) p0 rest)
    (both (serve r x a) (relabel h y a)) t.+1.
Proof.
move=> lk here; set s := summary _ _ _; set f := full_labels _ _.
have z'E b : both (serve r x a) (relabel h y a) b =
    if b == a then moves_to s (both x y a) else move s f (both x y a) (both x y b).
  by rewrite /both /moves_to /move !ffunE; case: eqP.
have [in0 next_] := like_step here z'E lk; split=> //.
by have := like_sorted next_; rewrite map_rcons -map_comp.
Qed.

End Request.

(** The cold start. *)
Definition cold_part (I : instance) (j : nat) : part :=
  [seq (0%num, 0%num) | i <- iota 0 (N.to_nat (page_count I)) & N.eqb (locate (counts I) (N.of_nat i)) (N.of_nat j)].
Definition cold (I : instance) : seq part := [seq cold_part I j | j <- iota 0 (layers I)].

Lemma like_cold I : N.ltb 0%num (page_count I) -> like (cold I) (both (no_labels I) (no_labels I)) 0.
Proof.
move=> some.
rewrite /like (_ : parts_of _ _ = cold I); first by elim: (cold I) => //= s ps ->; rewrite perm_refl.
rewrite /parts_of /cold; apply/eq_in_map=> j; rewrite mem_iota add0n /= => lt.
rewrite modn_small // add0n /part_of /of_layer /cold_part.
have -> : iota 0 (N.to_nat (page_count I)) = map val (enum (P I)).
  by rewrite /P val_enum_ord prednK //; move: some; rewrite ltbN.
move: (enum (P I)) => E.
have same (a : P I) : (layer a == j :> nat) = N.eqb (locate (counts I) (num a)) (N.of_nat j).
  have e := layer_page (num_lt a some); rewrite page_num in e; rewrite {}e.
  move: (locate _ _) => v; apply/idP/idP => [/eqP<-|/N.eqb_eq->]; first by rewrite N2Nat.id N.eqb_refl.
  by rewrite Nat2N.id.
elim: E => //= a E ih; rewrite same -/(num a); case: ifP => _ //=; rewrite ih.
by congr (_ :: _); rewrite /both !ffunE.
Qed.

(** ** Listed states *)

Section Listed.

(** Whatever a state is listed as, it has parts and a layer to be served. *)
Variables (I : instance) (turning : bool) (E : Type) (parts_of_ : E -> seq part) (served_of : E -> N) (table : tree E).

(** What an entry says of the layer to be served. *)
Definition turn (t : nat) : N := if turning then 0%num else N.of_nat (t %% layers I).
Definition served_next (j : N) : N := if turning then 0%num else next_layer I j.

(** A listed state stands for what policy and OPT are in. *)
Definition stands (e : E) (x y : labels I) t :=
  [/\ inside table e, like (parts_of_ e) (both x y) t & served_of e = turn t].

Lemma served_nextE t : served_next (turn t) = turn t.+1.
Proof.
rewrite /served_next /turn; case: ifP => // ->.
by rewrite -[LHS]N2Nat.id (@next_layer_mod I _ t) ?Nat2N.id.
Qed.

Lemma stands_start e : N.ltb 0%num (page_count I) -> inside table e -> parts_of_ e = cold I -> served_of e = 0%num ->
  stands e (no_labels I) (no_labels I) 0.
Proof.
move=> some in_e eq at0; split=> //; last by rewrite at0 /turn mod0n; case: ifP.
rewrite eq; exact: like_cold.
Qed.

Lemma stands_next r h p0 rest (x y : labels I) t a e : like (p0 :: rest) (both x y) t -> layer a = t %% layers I :> nat ->
  inside table e -> served_of e = served_next (turn t) ->
  parts_of_ e = requested I r h (summary r (slots I) (look x)) (full_labels h y) (both x y a) p0 rest ->
  stands e (serve r x a) (relabel h y a) t.+1.
Proof.
move=> lk here in_e served_e parts_e; split=> //; last by rewrite served_e served_nextE.
by rewrite parts_e; apply: (like_requested r h lk here).2.
Qed.

End Listed.
