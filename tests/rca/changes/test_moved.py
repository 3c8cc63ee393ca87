"""Code that went somewhere else, and what only looks as if it had."""

from typing import Protocol

import pytest

from rca.changes.findings import Content

HARMFUL, HARMLESS = 0.5, 0.27


class Judged(Protocol):
    def __call__(self, diff: str, path: str = ...) -> Content: ...


def hunk(text: str) -> str:
    return "@@ -1,9 +1,9 @@\n" + text


SCAN = """ func (s *Store) Room(ctx context.Context, room string) ([]Message, error) {
-	rows, err := s.db.QueryContext(ctx, roomSQL, room)
-	if err != nil {
-		return nil, err
-	}
-	defer rows.Close()
-	var out []Message
-	for rows.Next() {
-		var m Message
-		rows.Scan(&m.ID, &m.Body)
-		out = append(out, m)
-	}
-	return out, rows.Err()
"""
GUARDS = """ func (s *Server) Submit(ctx context.Context, in *Input) (*Output, error) {
-	if in.Name == "" || len(in.Name) > maxName {
-		return nil, errName
-	}
-	if in.Amount <= 0 {
-		return nil, errAmount
-	}
"""


@pytest.mark.parametrize(
    ("removed", "added"),
    [
        (SCAN, "+	return queryAll(ctx, s.db, scanMessage, roomSQL, room)\n"),
        (GUARDS, "+	if err := validate(in); err != nil {\n+		return nil, err\n+	}\n"),
    ],
)
def test_what_is_handed_to_a_helper_that_is_not_shown_may_still_be_done_there(
    judged: Judged, removed: str, added: str
) -> None:
    content = judged(hunk(removed + added))
    assert content.potency < HARMLESS
    assert "which isn't shown" in content.why
    assert not content.inert


@pytest.mark.parametrize(
    "diff",
    [
        SCAN + "+	return s.all(ctx)\n",  # not what it worked on
        SCAN + "+	return queryAll(ctx, s.db, scanMessage, roomSQL, room, 900000)\n",  # and something new
        SCAN + "+	return cache.All(ctx, s.db, roomSQL, room)\n",  # a library's
        SCAN + "+	for {\n+		queryAll(ctx, s.db, roomSQL, room)\n+	}\n",  # over and over
        GUARDS + "+	prepare(ctx)\n",
    ],
)
def test_what_is_handed_on_otherwise_is_judged_by_what_went(judged: Judged, diff: str) -> None:
    assert judged(hunk(diff)).potency >= HARMFUL


def test_what_was_opened_above_and_is_no_longer_closed_is_not_handed_on(judged: Judged) -> None:
    diff = """ 	resp, err := c.http.Do(req)
-	defer resp.Body.Close()
-	return &t, json.NewDecoder(resp.Body).Decode(&t)
+	return &t, decode(resp.Body, &t)
"""
    assert judged(hunk(diff)).potency >= HARMFUL


def test_what_is_given_to_another_call_is_not_gone(judged: Judged) -> None:
    kept = """-        ObjectMapper mapper = new ObjectMapper();
-        mapper.registerModule(new JavaTimeModule());
+        ObjectMapper mapper = JsonMapper.builder()
+            .addModule(new JavaTimeModule()).build();
"""
    gone = kept.replace("+            .addModule(new JavaTimeModule()).build();", "+            .build();")
    path = "src/main/java/Json.java"
    assert "registration_gone" not in {finding.kind for finding in judged(hunk(kept), path).findings}
    assert "registration_gone" in {finding.kind for finding in judged(hunk(gone), path).findings}


def test_a_guard_whose_way_out_is_said_otherwise_is_not_gone(judged: Judged) -> None:
    removed = """-        if (id == null) {
-            throw new NotFoundException(id);
-        }
-        return repository.findOne(id);
"""
    path = "src/main/java/Customers.java"
    kept = judged(
        hunk(removed + "+        return repository.findOne(id, () -> new NotFoundException(id));\n"),
        path,
    )
    gone = judged(hunk(removed + "+        return repository.findOne(id, null);\n"), path)
    assert "guard_gone" not in {finding.kind for finding in kept.findings}
    assert "guard_gone" in {finding.kind for finding in gone.findings}


def test_a_loop_that_fills_a_list_may_be_an_expression(judged: Judged) -> None:
    removed = """-  const out = [];
-  for (const id of ids) {
-    out.push(toBadge(id));
-  }
-  return out;
"""
    same, other = "+  return ids.map((id) => toBadge(id));\n", "+  return ids.map((id) => client.loadBadge(id));\n"
    assert judged(hunk(removed + same), "src/badges.js").potency < HARMLESS
    assert judged(hunk(removed + other), "src/badges.js").potency >= HARMLESS


JOINED = """-	out := ""
-	for i, part := range parts {
-		if i > 0 {
-			out += ":"
-		}
-		out += part
-	}
-	return out
"""


def test_a_loop_that_makes_a_text_may_be_one_call(judged: Judged) -> None:
    assert judged(hunk(JOINED + '+	return strings.Join(parts, ":")\n')).potency < HARMLESS
    kept_less = JOINED.replace("i > 0", "part.Valid")
    assert judged(hunk(kept_less + '+	return strings.Join(parts, ":")\n')).potency >= HARMFUL
    assert judged(hunk(JOINED + '+	return strings.Join(parts, "/")\n')).potency >= HARMLESS


CONDITIONS = """-  if (state === "open") return t("open");
-  if (state === "closed") return t("closed");
-  return t("unknown");
+  switch (state) {
+    case "open":
+      return t("open");
+    case "closed":
+      return t("closed");
+    default:
+      return t("unknown");
+  }
"""


def test_a_row_of_conditions_may_be_a_switch(judged: Judged) -> None:
    assert judged(hunk(CONDITIONS), "src/label.ts").potency < HARMLESS
    other = CONDITIONS.replace('+      return t("closed")', '+      return t("open")')
    assert judged(hunk(other), "src/label.ts").potency >= HARMFUL


PER_CALL = """-MODEL = joblib.load(settings.model_path)
-
 def score(body):
-    return MODEL.predict(body)
+    model = joblib.load(settings.model_path)
+    return model.predict(body)
"""


def test_what_was_made_once_and_is_made_in_each_call_costs(judged: Judged) -> None:
    content = judged(hunk(PER_CALL), "scoring/app.py")
    assert content.findings[0].kind == "per_request_setup"
    assert "made each time" in content.why


@pytest.mark.parametrize(
    "diff",
    [
        PER_CALL.replace("+    model =", "+    global MODEL\n+    model ="),  # kept
        "-LIMIT = 20\n def f():\n+    limit = 20\n+    return limit\n",  # nothing to make
        PER_CALL.replace("+    model = ", "+model = "),  # still outside
        PER_CALL.replace("+    model = joblib.load(settings.model_path)", "+    model = current()"),
    ],
)
def test_what_is_kept_or_costs_nothing_is_not_made_each_time(judged: Judged, diff: str) -> None:
    kinds = {finding.kind for finding in judged(hunk(diff), "scoring/app.py").findings}
    assert "per_request_setup" not in kinds


def test_values_that_changed_places_are_no_mere_order(judged: Judged) -> None:
    removed, path = " enum State {\n-  PICKED = 2;\n-  LOST = 3;\n", "proto/state.proto"
    swapped = judged(hunk(removed + "+  LOST = 2;\n+  PICKED = 3;\n"), path)
    assert swapped.potency >= HARMFUL
    assert "PICKED 2 to 3" in swapped.why
    assert judged(hunk(removed + "+  LOST = 3;\n+  PICKED = 2;\n"), path).potency < HARMLESS


READY = """ pub async fn ready(app: App) -> StatusCode {
-    StatusCode::OK
+    match app.search.ping().await {
+        Ok(_) => StatusCode::OK,
+        _ => StatusCode::SERVICE_UNAVAILABLE,
+    }
"""


def test_a_fixed_answer_that_hangs_on_a_call_is_stricter_and_worse_for_a_probe(judged: Judged) -> None:
    probe = judged(hunk(READY), "src/app.rs")
    other = judged(hunk(READY.replace("ready", "answer")), "src/app.rs")
    assert probe.findings[0].kind == "probe"
    assert "stricter" in {finding.kind for finding in other.findings}
    assert probe.potency > other.potency >= HARMFUL


def test_a_fixed_answer_that_is_another_fixed_answer_hangs_on_nothing(judged: Judged) -> None:
    diff = " fn answer() -> Code {\n-    Code::OK\n+    let code = Code::OK;\n+    code\n"
    assert not {"stricter", "probe"} & {finding.kind for finding in judged(hunk(diff), "src/app.rs").findings}


ALONE = """@@ -0,0 +1,9 @@
+package catalog
+
+func warmLoop(ctx context.Context, src Source) {
+	for range time.Tick(time.Minute) {
+		for _, it := range src.Top(ctx, 20) {
+			store.Add(it)
+		}
+	}
+}
"""


def test_new_code_that_nothing_calls_does_little_until_something_sets_it_going(judged: Judged) -> None:
    assert judged(ALONE).potency < HARMLESS
    assert judged(ALONE + "+func init() { go warmLoop(background, source) }\n").potency >= HARMFUL


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.java", "public Engine engine() {", "Engine engine() {"),
        ("a.go", 'req.Header.Set("Key", o.ID)', 'setHeader(req, "Key", o.ID)'),
        ("a.go", "copyFile(out, f)", "copyInto(out, f)"),
    ],
)
def test_another_word_for_what_is_done_is_not_much(judged: Judged, path: str, old: str, new: str) -> None:
    assert judged(hunk(f"-    {old}\n+    {new}\n"), path).potency < HARMLESS


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("a.ts", "amount: Number(item.amount),", "amount: parseInt(item.amount, 10),"),
        ("nginx/a.conf", "proxy_pass http://api:8080/;", "proxy_pass http://api:8080;"),
        ("a.go", "send(req, o.ID)", "send(req)"),
    ],
)
def test_a_parser_the_end_of_an_address_and_an_argument_are_more(
    judged: Judged, path: str, old: str, new: str
) -> None:
    assert judged(hunk(f"-    {old}\n+    {new}\n"), path).potency >= HARMLESS


@pytest.mark.parametrize(
    ("path", "old", "new", "guilty"),
    [
        ("a.go", "if err == sql.ErrNoRows {", "if errors.Is(err, sql.ErrNoRows) {", "_ = err"),
        (
            "a.ts",
            "return get(url).then((res) => res.data);",
            "const res = await get(url);",
            "return get(url).data;",
        ),
        ("a.go", "func New(s *Store) *Handler {", "func New(s ItemStore) *Handler {", "func New() *Handler {"),
        ("a.java", "List<Order> orders = find(page);", "var orders = find(page);", "List<Order> orders = find();"),
    ],
)
def test_a_newer_form_of_the_same_is_told_from_less_of_it(
    judged: Judged, path: str, old: str, new: str, guilty: str
) -> None:
    same, less = (judged(hunk(f"-    {old}\n+    {text}\n"), path).potency for text in (new, guilty))
    assert same < less
    assert less >= HARMLESS


def test_a_file_that_is_read_at_once_needs_no_closing(judged: Judged) -> None:
    removed = "-    with open(os.path.join(base, name)) as handle:\n-        return handle.read()\n"
    at_once = judged(hunk(removed + "+    return (Path(base) / name).read_text()\n"), "a.py")
    left_open = judged(hunk(removed + "+    return open(os.path.join(base, name)).read()\n"), "a.py")
    assert "close_gone" not in {finding.kind for finding in at_once.findings}
    assert "close_gone" in {finding.kind for finding in left_open.findings}
