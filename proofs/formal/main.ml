(* Reads a certificate as numbers from standard input, has it judged by the checker that Coq extracted, and prints the
   verdict with the claim as it was judged. What is read wrong here shows in the claim printed; evidence needs no trust.

   A number is a line of decimal digits, perhaps after "-". An array is a line "WIDTH LENGTH" and its numbers, little-endian,
   in two's complement of WIDTH bytes each. A word is a line. *)

open Checker

(* Numbers *)

let rec positive i = if i = 1 then XH else if i land 1 = 1 then XI (positive (i / 2)) else XO (positive (i / 2))

let memo make = let known = Array.init 1024 make in fun i -> if i >= 0 && i < 1024 then known.(i) else make i
let natural = memo (fun i -> if i = 0 then N0 else if i > 0 then Npos (positive i) else failwith "a number is negative")
let int n = match n with
  | N0 -> 0
  | Npos p -> let rec from = function XH -> 1 | XO p -> 2 * from p | XI p -> 2 * from p + 1 in from p

(* The numbers 1, 2, ..., count. They share their binary digits. *)
let positives count =
  let all = Array.make (count + 1) XH in
  for i = 2 to count do all.(i) <- if i land 1 = 1 then XI all.(i / 2) else XO all.(i / 2) done; all

let place p = int (Npos p) - 1 (* states are numbered from 1 *)
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

type numbers = {
  length : int;
  get : int -> int; (* the number at a place *)
  slice : int -> int -> string (* the bytes of some numbers from a place on *)
}

let raw () =
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
  { length; get = (fun i -> get bytes (i * width)); slice = fun i count -> Bytes.sub_string bytes (i * width) (count * width) }

let array make =
  let { length; get; _ } = raw () in
  let rec from i rest = if i < 0 then rest else from (i - 1) (make (get i) :: rest) in
  from (length - 1) []

let instance () = match array natural with
  | [] -> failwith "no layers"
  | first :: others -> { first; others; slots = n () }

(* Claims *)

let shape i = Printf.printf "  the model of Model.v\n  pages layer by layer: %s; cache k = %s\n"
    (list (i.first :: i.others)) (text_of_n i.slots)

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
    (fun () -> shape opt_instance; Printf.printf "  the requests %s\n" (list opt_requests))

let policies = [
  "lru", LRU; "fifo", FIFO; "lifo", LIFO; "mru", MRU; "fwf", FWF; "mark-lru", MARK_LRU; "mark-fifo", MARK_FIFO ]

let policy () =
  let name = word () in
  match List.assoc_opt name policies with
  | Some found -> found
  | None -> failwith ("the verified checker does not speak about the policy " ^ name)

let name_of policy = fst (List.find (fun (_, found) -> found = policy) policies)

let against slots = Printf.printf "  OPT has %s pages\n" (text_of_n slots)

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
       Printf.printf "  once the requests %s\n  again and again the requests %s\n" (list cyc_prefix) (list cyc_round))

(* Listed states. Their parts are taken from the layer served next on, pages in ascending order, and numbered as they come. *)
type listed = {
  count : int;
  place_of : positive array; (* by state, counted from 1 *)
  served : int -> int; (* layer to be served, by state *)
  code : int -> int -> n * n; (* labels, by state and page *)
  pages : int -> int -> int list; (* of a layer of a state, counted from the one served *)
  part : int -> int -> positive * part; (* the same layer's part, and its number *)
  parts : unit -> part list; (* all that have come so far *)
  potential : int -> z
}

exception Refuted of string

let states counts =
  let layers = raw () in
  let labels = raw () in
  let work = raw () in
  let potential = raw () in
  let counts = Array.of_list (List.map int counts) in
  let l = Array.length counts in
  let width = Array.fold_left (+) 0 counts in
  let firsts = Array.init l (fun j -> Array.fold_left (+) 0 (Array.sub counts 0 j)) in
  let served s =
    let j = layers.get s in
    if j < 0 || j >= l then failwith "a layer does not exist" else j in
  let layer s i = (served s + i) mod l in
  let pages s i = let j = layer s i in List.init counts.(j) (fun i -> firsts.(j) + i) in
  let packed s page = let at = s * width + page in (labels.get at lsl 30) lor work.get at in
  let unpacked code = natural (code lsr 30), natural (code land (1 lsl 30 - 1)) in
  let known = Hashtbl.create 10000 and seen = Hashtbl.create 10000 and all = ref [] in
  let new_part codes =
    let part = List.map unpacked codes in
    all := part :: !all;
    let found = positive (List.length !all), part in Hashtbl.add known codes found; found in
  let part s i =
    let j = layer s i in
    let at = s * width + firsts.(j) in
    let bytes = labels.slice at counts.(j) ^ work.slice at counts.(j) in
    match Hashtbl.find_opt seen bytes with
    | Some found -> found
    | None ->
      let codes = List.sort Int.compare (List.map (packed s) (pages s i)) in
      let found = match Hashtbl.find_opt known codes with Some found -> found | None -> new_part codes in
      Hashtbl.add seen bytes found; found in
  { count = layers.length; place_of = positives layers.length; served; pages; part; code = (fun s page -> unpacked (packed s page));
    parts = (fun () -> List.rev !all); potential = fun s -> whole (potential.get s) }

let from_state_on listed make =
  let rec from s rest = if s < 0 then rest else from (s - 1) (make s :: rest) in
  from (listed.count - 1) []

let layer_told turning listed s = if turning then N0 else natural (listed.served s)

(* Are all states reached? *)
let all_reached start successors =
  let seen = Bytes.make (Array.length successors) '0' in
  let rec visit reached = function
    | [] -> reached
    | s :: rest when Bytes.get seen s = '1' -> visit reached rest
    | s :: rest -> Bytes.set seen s '1'; visit (reached + 1) (List.rev_append (List.rev_map place successors.(s)) rest) in
  visit 0 [start] = Array.length successors

let potential () =
  let pot_instance = instance () in
  let pot_policy = policy () in
  let pot_opt_slots = n () in
  let p = n () in
  let q = n () in
  let an = z () in
  let ad = z () in
  let pot_turning = word () = "1" in
  let l = List.length (counts pot_instance) in
  let listed = states (counts pot_instance) in
  let state s = {
    numbers = List.init l (fun i -> fst (listed.part s i));
    layer_of = layer_told pot_turning listed s; number = listed.place_of.(s + 1); value = listed.potential s } in
  let pot_states = from_state_on listed state in
  let claim = { pot_instance; pot_policy; pot_opt_slots; pot_ratio = p, q; pot_additive = an, ad } in
  let reached = match check_potential claim { pot_turning; pot_parts = listed.parts (); pot_states } with
    | None -> false
    | Some (start, found) -> all_reached (place start) (Array.of_list (List.rev found)) in
  verdict reached
    (Printf.sprintf "policy %s: faults <= %s OPT + %s on every request sequence" (name_of pot_policy)
       (fraction (text_of_n p) (text_of_n q)) (fraction (text_of_z an) (text_of_z ad)))
    (fun () -> shape pot_instance; against pot_opt_slots)

(* What is listed state by state, by the places of the states. *)
let by_place listed make =
  let rec from s found = if s = listed.count then found else from (s + 1) (PositiveMap.add listed.place_of.(s + 1) (make s) found) in
  from 0 PositiveMap.empty

(* The layer of a page, counted from the one served, or a refusal. *)
let rec offset_of listed l s page i =
  if i = l then raise (Refuted (Printf.sprintf "state %d: page %d does not exist" s page))
  else if List.mem page (listed.pages s i) then i else offset_of listed l s page (i + 1)

let rec nat i = if i = 0 then O else S (nat (i - 1))

let game () =
  let gam_instance = instance () in
  let gam_opt_slots = n () in
  let gam_turning = word () = "1" in
  let shape_ = counts gam_instance in
  let l = List.length shape_ in
  let side read none = match word () with
    | "none" -> None, none
    | _ -> let p = n () in let q = n () in Some (p, q), read (states shape_) in
  let entries listed = from_state_on listed (fun s ->
      { parts = List.init l (fun i -> snd (listed.part s i)); served = layer_told gam_turning listed s;
        place = listed.place_of.(s + 1); phi = listed.potential s }) in
  let gam_lower, (gam_adversary, gam_requests, gam_steps) =
    side (fun listed ->
        let requests = raw () in
        let steps = raw () in
        let asked s =
          let page = requests.get s in
          if offset_of listed l s page 0 > 0 then
            raise (Refuted (Printf.sprintf "state %d: page %d is not in the layer to be served" s page));
          listed.code s page in
        entries listed, by_place listed asked, by_place listed (fun s -> natural (steps.get s)))
      ([], PositiveMap.empty, PositiveMap.empty) in
  let gam_upper, (gam_player, gam_victims) =
    side (fun listed ->
        let victims = raw () in
        let next = ref 0 in
        (* one for every page of the layer to be served that is not like an earlier one *)
        let answers s =
          List.fold_left (fun found page ->
              let code = listed.code s page in
              if List.mem_assoc code found then found
              else begin
                if !next = victims.length then raise (Refuted "evidence.upper.victims is too short");
                let v = victims.get !next in
                incr next;
                (code, if v = -1 then None else let i = offset_of listed l s v 0 in Some (nat i, listed.code s v)) :: found
              end) [] (listed.pages s 0) in
        let found = by_place listed answers in
        if !next < victims.length then raise (Refuted "evidence.upper.victims is too long");
        entries listed, found)
      ([], PositiveMap.empty) in
  let claim = { gam_instance; gam_opt_slots; gam_lower; gam_upper } in
  let bound word = function None -> [] | Some (p, q) -> [word ^ " " ^ fraction (text_of_n p) (text_of_n q)] in
  verdict (check_game claim { gam_turning; gam_adversary; gam_requests; gam_steps; gam_player; gam_victims })
    ("the best deterministic ratio is " ^ String.concat " and " (bound "at least" gam_lower @ bound "at most" gam_upper))
    (fun () -> shape gam_instance; against gam_opt_slots)

let () =
  Gc.set { (Gc.get ()) with minor_heap_size = 1 lsl 22; space_overhead = 1000 };
  set_binary_mode_in stdin true;
  try match word () with
    | "optimum" -> optimum ()
    | "cycle" -> cycle ()
    | "potential" -> potential ()
    | "game" -> game ()
    | kind -> failwith ("no such type: " ^ kind)
  with Refuted what -> Printf.printf "REFUTED: %s\n" what; exit 1
     | Failure what | Invalid_argument what | Scanf.Scan_failure what -> Printf.printf "INCOMPLETE: %s\n" what; exit 2
     | End_of_file -> Printf.printf "INCOMPLETE: the input ends early\n"; exit 2
