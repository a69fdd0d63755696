(* Reads a certificate as numbers from standard input, has it judged by the checker that Coq extracted, and prints the
   verdict with the claim as it was judged. What is read wrong here shows in the claim printed; evidence needs no trust.

   A number is a line of decimal digits, perhaps after "-". An array is a line "WIDTH LENGTH" and its numbers, little-endian,
   in two's complement of WIDTH bytes each. A word is a line. *)

open Checker

(* Numbers *)

let rec positive i = if i = 1 then XH else if i land 1 = 1 then XI (positive (i / 2)) else XO (positive (i / 2))

let memo make = let known = Array.init 1024 make in fun i -> if i >= 0 && i < 1024 then known.(i) else make i
let natural = memo (fun i -> if i = 0 then N0 else if i > 0 then Npos (positive i) else failwith "a number is negative")
let natural_of_z = function Z0 -> N0 | Zpos p -> Npos p | Zneg _ -> failwith "a number is negative"
let small = memo (fun i -> if i = 0 then Z0 else Zpos (positive i))
let whole i = if i < 0 then Z.opp (small (- i)) else small i

let digit c = fun d -> match c with
  | '0' -> D0 d | '1' -> D1 d | '2' -> D2 d | '3' -> D3 d | '4' -> D4 d
  | '5' -> D5 d | '6' -> D6 d | '7' -> D7 d | '8' -> D8 d | '9' -> D9 d
  | _ -> failwith "no number"

let z_of_text text =
  let negative = text <> "" && text.[0] = '-' in
  let rec from i = if i = String.length text then Nil else digit text.[i] (from (i + 1)) in
  let n = Z.of_N (N.of_uint (from (if negative then 1 else 0))) in
  if negative then Z.opp n else n

let text_of_n n =
  let buffer = Buffer.create 9 in
  let rec add c d = Buffer.add_char buffer c; walk d
  and walk = function
    | Nil -> ()
    | D0 d -> add '0' d | D1 d -> add '1' d | D2 d -> add '2' d | D3 d -> add '3' d | D4 d -> add '4' d
    | D5 d -> add '5' d | D6 d -> add '6' d | D7 d -> add '7' d | D8 d -> add '8' d | D9 d -> add '9' d in
  walk (N.to_uint n); Buffer.contents buffer

let text_of_z z = match z with
  | Zneg p -> "-" ^ text_of_n (Npos p)
  | Zpos p -> text_of_n (Npos p)
  | Z0 -> "0"

let fraction p q = if q = "1" then p else p ^ "/" ^ q
let list numbers = String.concat " " (List.rev (List.rev_map text_of_n numbers))

(* Reading *)

let word () = input_line stdin
let z () = z_of_text (word ())
let n () = natural_of_z (z ())

let array make =
  let width, length = Scanf.sscanf (word ()) "%d %d" (fun w l -> w, l) in
  let bytes = Bytes.create (width * length) in
  really_input stdin bytes 0 (width * length);
  let get = match width with
    | 1 -> Bytes.get_int8
    | 2 -> Bytes.get_int16_le
    | 4 -> fun b i -> Int32.to_int (Bytes.get_int32_le b i)
    | _ -> fun b i ->
      let wide = Bytes.get_int64_le b i in
      let i = Int64.to_int wide in
      if Int64.of_int i <> wide then failwith "a number has more than 62 bits" else i in
  let rec from i rest = if i < 0 then rest else from (i - 1) (make (get bytes (i * width)) :: rest) in
  from (length - 1) []

let instance () = match array natural with
  | [] -> failwith "no layers"
  | first :: others -> { first; others; slots = n () }

(* Claims *)

let shape i = Printf.printf "  instance: %s pages in layers of %s; cache k = %s\n"
    (text_of_n (page_count i)) (list (i.first :: i.others)) (text_of_n i.slots)

let verdict proved claim show =
  Printf.printf "%s: %s\n" (if proved then "VERIFIED" else "REFUTED: not proved") claim;
  show ();
  exit (if proved then 0 else 1)

let optimum () =
  let opt_instance = instance () in
  let opt_requests = array natural in
  let opt_scale = n () in
  let opt_lower = z () in
  let opt_upper = z () in
  let opt_schedule = array whole in
  let steps = array natural in
  let opt_prices = List.rev (List.rev_map2 (fun u y -> u, y) steps (array natural)) in
  let claim = { opt_instance; opt_requests; opt_scale; opt_lower; opt_upper } in
  let bound value = fraction (text_of_z value) (text_of_n opt_scale) in
  verdict (check_optimum claim { opt_schedule; opt_prices })
    (Printf.sprintf "%s <= OPT <= %s for these requests" (bound opt_lower) (bound opt_upper))
    (fun () -> shape opt_instance; Printf.printf "  requests: %s\n" (list opt_requests))

let policies = [
  "lru", LRU; "fifo", FIFO; "lifo", LIFO; "mru", MRU; "fwf", FWF; "mark-lru", MARK_LRU; "mark-fifo", MARK_FIFO ]

let policy () =
  let name = word () in
  match List.assoc_opt name policies with
  | Some found -> found
  | None -> failwith ("the verified checker does not speak about the policy " ^ name)

let name_of policy = fst (List.find (fun (_, found) -> found = policy) policies)

let against slots = Printf.printf "  against OPT with %s pages\n" (text_of_n slots)

(* Cut a list into pieces of the lengths given. *)
let cut lengths numbers =
  let rec take count piece rest = match count, rest with
    | 0, _ | _, [] -> List.rev piece, rest
    | _, x :: rest -> take (count - 1) (x :: piece) rest in
  let pieces, _ = List.fold_left (fun (done_, rest) count ->
      let piece, rest = take count [] rest in piece :: done_, rest) ([], numbers) lengths in
  List.rev pieces

let cycle () =
  let cyc_instance = instance () in
  let cyc_policy = policy () in
  let cyc_opt_slots = n () in
  let cyc_prefix = array natural in
  let cyc_round = array natural in
  let cyc_online = n () in
  let cyc_offline = n () in
  let p = n () in
  let q = n () in
  let lengths = array Fun.id in
  let cyc_left = cut lengths (array natural) in
  let cyc_start = array natural in
  let cyc_periods = n () in
  let cyc_schedule = array whole in
  let claim = {
    cyc_instance; cyc_policy; cyc_opt_slots; cyc_prefix; cyc_round; cyc_online; cyc_offline; cyc_ratio = p, q } in
  verdict (check_cycle claim { cyc_left; cyc_start; cyc_periods; cyc_schedule })
    (Printf.sprintf "policy %s: %s; a round costs it %s, OPT %s" (name_of cyc_policy)
       (if q = N0 then "the ratio is unbounded"
        else "the ratio is at least " ^ fraction (text_of_n p) (text_of_n q))
       (text_of_n cyc_online) (text_of_n cyc_offline))
    (fun () ->
       shape cyc_instance; against cyc_opt_slots;
       Printf.printf "  once: %s\n  round: %s\n" (list cyc_prefix) (list cyc_round))

let () =
  set_binary_mode_in stdin true;
  try match word () with
    | "optimum" -> optimum ()
    | "cycle" -> cycle ()
    | kind -> failwith ("no such type: " ^ kind)
  with Failure what | Invalid_argument what | Scanf.Scan_failure what -> Printf.printf "INCOMPLETE: %s\n" what; exit 2
     | End_of_file -> Printf.printf "INCOMPLETE: the input ends early\n"; exit 2
