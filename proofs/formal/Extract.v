(** * The program: what is written in OCaml

    Booleans, pairs, options and lists become those of OCaml ([ExtrOcamlBasic]); numbers stay Coq's own binary ones. *)

From Coq Require Import Extraction ExtrOcamlBasic Decimal DecimalN DecimalZ.
From Formal Require Import CheckOptimum CheckCycle CheckPotential CheckGame.

Extraction Language OCaml.
Set Warnings "-extraction".
Extraction "checker.ml" check_optimum check_cycle check_potential check_game counts page_count N.of_uint N.to_uint Z.of_N Z.to_N Z.opp.
