(** * Arithmetic for [lia], and a tactic

    Nothing here is about paging. [lia] is told what mathcomp's operations on natural numbers are, [cases] splits
    on membership in sets. *)

From Coq Require Export Lia.
From Coq Require Import ZArith ZifyClasses Zify ZifyBool ZifyInst.
From mathcomp Require Export all_ssreflect.

#[export] Set Implicit Arguments.
#[export] Unset Strict Implicit.
#[export] Unset Printing Implicit Defensive.

Lemma inj_addn a b : Z.of_nat (a + b) = (Z.of_nat a + Z.of_nat b)%Z.
Proof. exact: Nat2Z.inj_add. Qed.
Lemma inj_muln a b : Z.of_nat (a * b) = (Z.of_nat a * Z.of_nat b)%Z.
Proof. exact: Nat2Z.inj_mul. Qed.
Lemma inj_subn a b : Z.of_nat (a - b) = Z.max 0 (Z.of_nat a - Z.of_nat b).
Proof. exact: Nat2Z.inj_sub_max. Qed.
Lemma inj_leq a b : (a <= b) = (Z.of_nat a <=? Z.of_nat b)%Z.
Proof. by apply/leP/idP => [|/Z.leb_le]; [move=> h; apply/Z.leb_le|]; lia. Qed.
Lemma inj_eqn (a b : nat) : (a == b) = (Z.of_nat a =? Z.of_nat b)%Z.
Proof. by apply/eqP/idP => [->|/Z.eqb_eq]; [rewrite Z.eqb_refl|lia]. Qed.
Lemma inj_minn a b : Z.of_nat (minn a b) = Z.min (Z.of_nat a) (Z.of_nat b).
Proof. by rewrite /minn; case: leqP => /leP; lia. Qed.
Lemma inj_maxn a b : Z.of_nat (maxn a b) = Z.max (Z.of_nat a) (Z.of_nat b).
Proof. by rewrite /maxn; case: leqP => /leP; lia. Qed.

#[global] Program Instance op_addn : BinOp addn := { TBOp := Z.add; TBOpInj := inj_addn }.
#[global] Program Instance op_muln : BinOp muln := { TBOp := Z.mul; TBOpInj := inj_muln }.
#[global] Program Instance op_subn : BinOp subn := { TBOp := fun a b => Z.max 0 (a - b); TBOpInj := inj_subn }.
#[global] Program Instance op_minn : BinOp minn := { TBOp := Z.min; TBOpInj := inj_minn }.
#[global] Program Instance op_maxn : BinOp maxn := { TBOp := Z.max; TBOpInj := inj_maxn }.
#[global] Program Instance op_leq : BinOp leq := { TBOp := Z.leb; TBOpInj := inj_leq }.
#[global] Program Instance op_eqn : BinOp (@eq_op nat_eqType : nat -> nat -> bool) := { TBOp := Z.eqb; TBOpInj := inj_eqn }.
Add Zify BinOp op_addn.
Add Zify BinOp op_muln.
Add Zify BinOp op_subn.
Add Zify BinOp op_minn.
Add Zify BinOp op_maxn.
Add Zify BinOp op_leq.
Add Zify BinOp op_eqn.

Ltac Zify.zify_pre_hook ::= unfold is_true in *.

(** [cases] splits on membership in sets and on equality of pages, one after the other. *)
Ltac cases := rewrite ?inE; repeat (
  match goal with
  | |- context [@eq_op ?T ?x ?y] => is_var x; is_var y; case: (@eqVneq T x y) => [?|?]; [subst x|]
  | |- context [@in_mem ?T ?x ?m] => case: (boolP (@in_mem T x m)) => ?
  end; rewrite /= ?inE //).
