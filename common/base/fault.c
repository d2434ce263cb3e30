/*
 * The text is formatted aside first: callers wrap a fault in its own text
 * (`fault_set(f, …, "%s: %s", path, f->text)`).
 */
#include "common/base/fault.h"

#include <stdio.h>
#include <string.h>

int fault_vset(struct fault *f, enum fault_kind kind, int code, const char *fmt, va_list ap)
{
	char text[sizeof(f->text)] = "";

	if (!f)
		return code;
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	memcpy(f->text, text, sizeof(text));
	f->kind = kind;
	f->code = code;
	return code;
}

int fault_set(struct fault *f, enum fault_kind kind, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fault_vset(f, kind, code, fmt, ap);
	va_end(ap);
	return code;
}
