/*  keygen - a pair of CURVE keys in two files: the secret, which stays with its owner, and the
 *  public key with its rights, which goes to the broker's directory of keys. */
#include "clients/tocsin/runs.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#define KEY_SIZE 41u
#define PATH_BYTES 512u
#define NAME_BYTES 100u

typedef struct {
    const char *name, *role;
    char public_key[KEY_SIZE], secret_key[KEY_SIZE];
    char secret_path[PATH_BYTES], public_path[PATH_BYTES];
} keys_t;

/*  The name becomes that of a file, and stands in one unquoted. */
static bool is_file_name(const char *name)
{
    size_t size = 0;
    for (; name[size] != '\0'; size++)
        if (!isalnum((unsigned char)name[size]) && strchr("-_.", name[size]) == NULL)
            return false;
    return size > 0 && size <= NAME_BYTES && isalpha((unsigned char)name[0]);
}

static FILE *create(const char *path, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file >= 0 && fchmod(file, mode) == 0)
        return fdopen(file, "w");
    fprintf(stderr, "tocsin: %s: %s\n", path, strerror(errno));
    if (file >= 0)
        close(file);
    return NULL;
}

static bool finish(FILE *file, const char *path)
{
    bool written = fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (fclose(file) == 0 && written)
        return true;
    fprintf(stderr, "tocsin: %s: %s\n", path, strerror(errno));
    return false;
}

static bool write_secret(const keys_t *self)
{
    FILE *file = create(self->secret_path, 0600);
    if (file == NULL)
        return false;
    fprintf(file, "# Whoever has this file is %s.\nsecret_key: \"%s\"\npublic_key: \"%s\"\n",
            self->name, self->secret_key, self->public_key);
    return finish(file, self->secret_path);
}

/*  Prefixes are quoted as YAML's double-quoted text; what is not given is everything. */
static void write_prefixes(const call_t *call, option_id_t option, const char *key, FILE *file)
{
    const char *prefix;
    size_t at = 0;
    const char *before = "";
    fprintf(file, "%s: [", key);
    for (; (prefix = call_next(call, option, &at)) != NULL; before = ", ") {
        fprintf(file, "%s\"", before);
        for (; *prefix != '\0'; prefix++)
            fprintf(file, *prefix == '"' || *prefix == '\\' ? "\\%c" : "%c", *prefix);
        fputc('"', file);
    }
    fputs(before[0] == '\0' ? "\"*\"]\n" : "]\n", file);
}

static bool write_public(const keys_t *self, const call_t *call)
{
    FILE *file = create(self->public_path, 0644);
    if (file == NULL)
        return false;
    fprintf(file, "name: %s\nrole: %s\npublic_key: \"%s\"\n", self->name, self->role,
            self->public_key);
    if (strcmp(self->role, "producer") == 0)
        write_prefixes(call, OPT_WRITE, "write", file);
    else
        write_prefixes(call, OPT_READ, "read", file);
    double lasts_s = call_number(call, OPT_EXPIRES_IN, 0);
    if (lasts_s > 0)
        fprintf(file, "expires: %.0f\n", (double)time(NULL) + lasts_s);
    return finish(file, self->public_path);
}

static int take_names(keys_t *self, const call_t *call)
{
    const char *directory = call_text(call, OPT_DIRECTORY);
    directory = directory == NULL ? "." : directory;
    self->name = call->operands[0];
    self->role = call_text(call, OPT_ROLE);
    if (!is_file_name(self->name)) {
        fprintf(stderr, "tocsin: keygen %s: expected a name of letters, digits, - _ and .\n",
                self->name);
        return EX_USAGE;
    }
    int size = snprintf(self->secret_path, PATH_BYTES, "%s/%s.secret", directory, self->name);
    snprintf(self->public_path, PATH_BYTES, "%s/%s.yaml", directory, self->name);
    return size > 0 && (size_t)size < PATH_BYTES ? 0 : EX_USAGE;
}

int keygen_run(const call_t *call)
{
    keys_t self;
    int status = take_names(&self, call);
    if (status != 0)
        return status;
    bool is_server = strcmp(self.role, "server") == 0;
    if (zmq_curve_keypair(self.public_key, self.secret_key) != 0) {
        fputs("tocsin: keygen: this libzmq has no CURVE\n", stderr);
        return EX_SOFTWARE;
    }
    bool good = write_secret(&self);
    if (good && !is_server && !write_public(&self, call)) {
        unlink(self.secret_path);
        good = false;
    }
    explicit_bzero(self.secret_key, sizeof self.secret_key);
    if (!good)
        return EX_CANTCREAT;
    printf("public_key %s\nsecret     %s\n", self.public_key, self.secret_path);
    if (!is_server)
        printf("public     %s\n", self.public_path);
    return EX_OK;
}
