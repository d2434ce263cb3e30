#include "bidding/opensea/frame.h"

#include <stddef.h>

#include "bidding/opensea/elements.h"
#include "common/base/json_out.h"
#include "common/model/decode.h"
#include "common/model/json_gate.h"

#define PAYLOAD_MAX (1 << 20)
#define N_ELEMENTS  5

struct object {
	struct str topic, event, payload, ref;
};
static const struct field object_fields[] = {
	{ "topic", FIELD_STR, FIELD_REQUIRED, offsetof(struct object, topic), 256, NULL },
	{ "event", FIELD_STR, FIELD_REQUIRED, offsetof(struct object, event), 128, NULL },
	{ "payload", FIELD_RAW, FIELD_REQUIRED, offsetof(struct object, payload), PAYLOAD_MAX,
		NULL },
	{ "ref", FIELD_RAW, FIELD_NULLABLE, offsetof(struct object, ref), 64, NULL },
};
static const struct record_type object_type = { .name = "frame",
	.fields = object_fields,
	.n_fields = ARRAY_LEN(object_fields),
	.size = sizeof(struct object) };

static int shape(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_REJECT, OPENSEA_FRAME_E_SHAPE, "frame: %s", what);
}

static int parse_array(struct opensea_frame *ret, struct str text, struct fault *f)
{
	struct opensea_elements e = opensea_elements(text);
	struct str v[N_ELEMENTS + 1];
	size_t n = 0;

	while (n <= N_ELEMENTS && opensea_elements_next(&e, &v[n]))
		n++;
	if (n != N_ELEMENTS)
		return shape(f, "expected an array of 5");
	*ret = (struct opensea_frame){ opensea_scalar(v[0]), opensea_scalar(v[1]),
		opensea_scalar(v[2]), opensea_scalar(v[3]), v[4] };
	if (v[2].p[0] != '"' || v[3].p[0] != '"' || !str_is_set(ret->topic) ||
		!str_is_set(ret->event))
		return shape(f, "topic and event must be plain texts");
	return 0;
}

static int parse_object(
	struct opensea_frame *ret, struct str text, struct arena *a, struct fault *f)
{
	struct object o;
	int r = decode(&object_type, &o, text, a, f);

	if (r == DECODE_E_JSON)
		return OPENSEA_FRAME_E_JSON;
	if (r)
		return r == DECODE_E_SHAPE ? OPENSEA_FRAME_E_SHAPE : OPENSEA_FRAME_E_SIZE;
	*ret = (struct opensea_frame){ .topic = o.topic, .event = o.event, .payload = o.payload };
	if (str_is_set(o.ref))
		ret->ref = opensea_scalar(o.ref);
	return 0;
}

int opensea_frame_parse(
	struct opensea_frame *ret, struct str text, struct arena *a, struct fault *f)
{
	struct json_problem problem;
	int r;

	*ret = (struct opensea_frame){ 0 };
	if (text.n && text.p[0] == '{')
		return parse_object(ret, text, a, f);
	r = json_gate(text, false, &problem);
	if (r) {
		r = r == JSON_GATE_E_LIMIT ? OPENSEA_FRAME_E_SIZE : OPENSEA_FRAME_E_JSON;
		return fault_set(
			f, FAULT_REJECT, r, "frame: %s (byte %zu)", problem.what, problem.offset);
	}
	return text.p[0] == '[' ? parse_array(ret, text, f)
				: shape(f, "expected an array or an object");
}

static void text_or_null(struct json_out *j, const char *z)
{
	if (z)
		json_strz(j, NULL, z);
	else
		json_out_null(j, NULL);
}

void opensea_frame_write(struct buf *out, const char *join_ref, const char *ref, const char *topic,
	const char *event)
{
	struct json_out j = JSON_OUT(out);

	json_begin_array(&j, NULL);
	text_or_null(&j, join_ref);
	text_or_null(&j, ref);
	json_strz(&j, NULL, topic);
	json_strz(&j, NULL, event);
	json_begin(&j, NULL);
	json_end(&j);
	json_end_array(&j);
}
