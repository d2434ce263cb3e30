/*
 * Puts files into a C source, as the table of souk/demo/storefront/assets.h. A build tool: meson
 * runs it, so that a changed file is built in again.
 *
 *	embed OUT.c ROOT FILE…
 *
 * ROOT is a folder ("souk/demo/web") somewhere in each FILE's path, which meson gives relative or
 * absolute as it likes; the path in the table is what follows it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int die(const char *what)
{
	perror(what);
	return 1;
}

static int write_bytes(FILE *out, const char *path, int i)
{
	FILE *in = fopen(path, "rb");
	int c, n = 0;

	if (!in)
		return die(path);
	fprintf(out, "static const unsigned char asset_%d[] = {", i);
	for (; (c = getc(in)) != EOF; n++)
		fprintf(out, "%s%d,", n % 24 ? "" : "\n", c);
	fprintf(out, "0};\n"); /* an array has an element; the table does not count it */
	if (ferror(in))
		return die(path);
	fclose(in);
	return 0;
}

/* What follows ROOT in @file, from its slash on; NULL: not under it. */
static const char *path_of(const char *file, const char *root)
{
	const char *at = strstr(file, root);

	return at && at[strlen(root)] == '/' ? at + strlen(root) : NULL;
}

int main(int argc, char **argv)
{
	FILE *out = argc > 3 ? fopen(argv[1], "w") : NULL;

	if (!out)
		return die(argc > 3 ? argv[1] : "embed OUT ROOT FILE...");
	fprintf(out, "#include \"souk/demo/storefront/assets.h\"\n\n");
	for (int i = 3; i < argc; i++) {
		if (!path_of(argv[i], argv[2])) {
			fprintf(stderr, "embed: %s is not under %s\n", argv[i], argv[2]);
			return 1;
		}
		if (write_bytes(out, argv[i], i))
			return 1;
	}
	fprintf(out, "\nconst struct asset assets[] = {\n");
	for (int i = 3; i < argc; i++)
		fprintf(out, "\t{ \"%s\", asset_%d, sizeof(asset_%d) - 1 },\n",
			path_of(argv[i], argv[2]), i, i);
	fprintf(out, "};\nconst size_t n_assets = %d;\n", argc - 3);
	return fclose(out) ? die(argv[1]) : 0;
}
