#!/bin/sh
# Compile the proofs in a new folder $1, let coqchk check the compiled files again, show what each theorem assumes, and
# build the checker that is proved sound, $1/certify.
# Fails if a theorem assumes anything. Libraries (Coq's own and mathcomp) are taken as they are installed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if ! command -v coqc >/dev/null; then
    echo "formal proofs are not checked: no coqc (Debian: apt-get install coq libcoq-mathcomp-ssreflect)"
    [ "${CI:-}" != true ]
    exit
fi
mkdir "$1"
cp "$here"/*.v "$here/_CoqProject" "$1"
cd "$1"

coq_makefile -f _CoqProject -o Makefile
make -j1 >log 2>&1 || { cat log; exit 1; }

modules=$(sed -n 's/\.v$//p' _CoqProject)
for module in $modules; do set -- "$@" -norec "Formal.$module"; done
shift
coqchk -silent -o -Q . Formal "$@" >checked 2>&1 || { cat checked; exit 1; }
axioms=$(grep -o 'Formal\..*' checked || true) # what else coqchk lists are sealed constants of mathcomp
[ -z "$axioms" ] || { echo "axioms:" $axioms; exit 1; }
echo "coqchk: $(echo "$modules" | wc -w) files checked again"

# What a theorem rests on is looked for in mathcomp, too: once for all theorems together, and one by one if that finds
# anything.
theorems=$(sed -n 's/^Print Assumptions \(.*\)\.$/\1/p' Assumptions.v)
{
    grep -v '^Print' Assumptions.v
    echo "Definition together := (@$(echo $theorems | sed 's/ /, @/g'))."
    echo 'Print Assumptions together.'
} >Together.v
[ "$(coqc -w none -Q . Formal Together.v)" = 'Closed under the global context' ] || {
    coqc -w none -Q . Formal Assumptions.v
    exit 1
}
for theorem in $theorems; do echo "$theorem: Closed under the global context"; done

coqc -w none -Q . Formal Extract.v
if ! command -v ocamlopt >/dev/null; then
    echo "the verified checker is not built: no ocamlopt (Debian: apt-get install ocaml-nox)"
    [ "${CI:-}" != true ]
    exit
fi
cp "$here/main.ml" .
ocamlopt -w -a -inline 100 checker.mli checker.ml main.ml -o certify
echo "built: $(pwd)/certify"
