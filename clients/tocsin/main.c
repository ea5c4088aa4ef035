/*  tocsin - the command line of the alarm broker. A contents page. */
#include "clients/tocsin/call.h"
#include "clients/tocsin/help.h"
#include "clients/tocsin/interrupt.h"
#include "clients/tocsin/question.h"

#include <stdlib.h>
#include <sysexits.h>
#include <tocsin.h>

static int run(const call_t *call)
{
    if (call_has(call, OPT_VERSION)) {
        printf("tocsin %s\n", tocsin_version());
        return EXIT_SUCCESS;
    }
    if (call_has(call, OPT_HELP)) {
        help_write(call->command, call->operand_count > 0 ? call->operands[0] : NULL, stdout);
        return EXIT_SUCCESS;
    }
    return call->command->run == NULL ? question_run(call) : call->command->run(call);
}

int main(int argc, char **argv)
{
    call_t call;
    interrupt_catch();
    int status = call_read(&call, argc - 1, argv + 1, stderr);
    if (status == 0)
        status = run(&call);
    call_free(&call);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        perror("tocsin: standard output");
        status = EX_IOERR;
    }
    return status;
}
