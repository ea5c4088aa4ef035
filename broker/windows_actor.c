#include "broker/windows_actor.h"

#include "broker/log.h"
#include "broker/mail.h"
#include "broker/windows_file.h"
#include "engines/observability/snapshot.h"

#include <stdlib.h>
#include <string.h>

static void report(int error, int before, const windows_actor_t *given)
{
    if (error != 0 && before == 0)
        log_warning("the windows cannot be kept", "directory=%s error=\"%s\"", given->directory,
                    strerror(error));
    if (error == 0 && before != 0)
        log_words(LEVEL_INFO, "the windows are kept again");
}

/*  Answers the errno. */
static int write_windows(const windows_actor_t *given, zmsg_t *mail)
{
    msgpack_sbuffer records;
    mail_take_struct(mail, &records, sizeof records);
    snapshot_seal(&records);
    int error = windows_file_write(given->directory, (text_t){records.data, records.size});
    msgpack_sbuffer_destroy(&records);
    return error;
}

void windows_actor(zsock_t *pipe, void *arguments)
{
    windows_actor_t *given = arguments;
    int failed = 0;
    zsock_signal(pipe, 0);
    zmsg_t *mail;
    while ((mail = mail_wait(pipe)) != NULL && mail_open(mail) == MAIL_WINDOWS) {
        int error = write_windows(given, mail);
        report(error, failed, given);
        failed = error;
        zmsg_destroy(&mail);
        mail = mail_new(MAIL_WINDOWS_KEPT);
        mail_send(&mail, pipe);
    }
    zmsg_destroy(&mail); /* "$TERM" */
    free(given);
}
