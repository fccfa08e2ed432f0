// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which code of the modules has run. A debug build of them calls this one at
 * the begin of each block of code, as kcov is called where a kernel has it: see
 * Kbuild.include. The calls are noted by their place in the module, so a module
 * that is unloaded and loaded again goes on where it was.
 */

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/seq_file.h>

/* Bytes of a module's code. */
#define MAX_TEXT	SZ_1M

/**
 * struct coverage_text - code of a module
 * @module: its name
 * @type: the code that stays, or that of its begin
 * @base: where it was loaded last
 * @size: its bytes; 0 while none of it is loaded
 * @ran: a bit for each byte: whether there was a call that returns there
 */
struct coverage_text {
	const char		*module;
	enum mod_mem_type	type;
	unsigned long		base;
	unsigned long		size;
	DECLARE_BITMAP(ran, MAX_TEXT);
};

static struct coverage_text coverage_texts[] = {
	{ "af_bus", MOD_TEXT },
	{ "af_bus", MOD_INIT_TEXT },
	{ "nfdbus", MOD_TEXT },
	{ "nfdbus", MOD_INIT_TEXT },
};

/* The compiler prescribes the name, and no header declares it. */
void notrace __sanitizer_cov_trace_pc(void)
{
	struct coverage_text *t = coverage_texts;
	unsigned long at;

	for (; t < coverage_texts + ARRAY_SIZE(coverage_texts); t++) {
		at = _RET_IP_ - READ_ONCE(t->base);
		if (at >= READ_ONCE(t->size))
			continue;
		if (!test_bit(at, t->ran))
			set_bit(at, t->ran);
		return;
	}
}
EXPORT_SYMBOL_GPL(__sanitizer_cov_trace_pc);

static int coverage_module(struct notifier_block *nb, unsigned long state,
			   void *data)
{
	const struct module *mod = data;
	struct coverage_text *t = coverage_texts;

	if (state != MODULE_STATE_COMING && state != MODULE_STATE_LIVE)
		return NOTIFY_DONE;
	for (; t < coverage_texts + ARRAY_SIZE(coverage_texts); t++) {
		if (strcmp(mod->name, t->module))
			continue;
		/* The code of its begin goes then, and another module may come there. */
		if (state == MODULE_STATE_LIVE) {
			if (t->type == MOD_INIT_TEXT)
				WRITE_ONCE(t->size, 0);
			continue;
		}
		WRITE_ONCE(t->base, (unsigned long)mod->mem[t->type].base);
		WRITE_ONCE(t->size, min(mod->mem[t->type].size, MAX_TEXT));
	}
	return NOTIFY_OK;
}

static struct notifier_block coverage_notifier = {
	.notifier_call = coverage_module,
};

/* The address of each call that was made, as of the last time the module was loaded. */
static int coverage_show(struct seq_file *seq, void *unused)
{
	struct coverage_text *t = coverage_texts;
	unsigned long at;

	for (; t < coverage_texts + ARRAY_SIZE(coverage_texts); t++) {
		for_each_set_bit(at, t->ran, MAX_TEXT)
			seq_printf(seq, "%s %lx\n", t->module, t->base + at);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(coverage);

static struct dentry *coverage_file;

static int __init coverage_init(void)
{
	int err;

	err = register_module_notifier(&coverage_notifier);
	if (err)
		return err;
	coverage_file = debugfs_create_file("afbus_coverage", 0400, NULL, NULL,
					    &coverage_fops);
	return 0;
}

static void __exit coverage_exit(void)
{
	debugfs_remove(coverage_file);
	unregister_module_notifier(&coverage_notifier);
}

module_init(coverage_init);
module_exit(coverage_exit);

MODULE_DESCRIPTION("Which code of AF_BUS has run, for its tests");
MODULE_LICENSE("GPL");
