// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names: the way from a path to a bus, taken at bind and at connect only.
 *
 * A pathname stands for the inode that bind made, whatever leads to it; an
 * abstract name stands for itself within one network namespace.
 */

#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/rbtree.h>
#include <linux/security.h>
#include <net/sock.h>
#include "af_bus.h"
#include "bus.h"
#include "name.h"

/*
 * Two trees, one for each kind: however many buses a user makes, and whatever
 * their names are, nobody holds the lock for more than a few comparisons. And a
 * tree needs no memory of its own, which could be lacking once the file is made.
 */
static DEFINE_SPINLOCK(afbus_name_lock);
static struct rb_root afbus_inodes = RB_ROOT;
static struct rb_root afbus_abstracts = RB_ROOT;

static struct afbus_bus *afbus_named(const struct rb_node *node)
{
	return node ? rb_entry(node, struct afbus_bus, name_node) : NULL;
}

static bool afbus_name_is_abstract(const struct afbus_name *name)
{
	return !name->path[0];
}

/**
 * afbus_name_parse() - take the path out of an address
 * @name: result
 * @addr: address from user space
 * @len: bytes of @addr that are there
 *
 * Return: 0; -EINVAL if the family or length is wrong or there is no path.
 */
int afbus_name_parse(struct afbus_name *name, const struct sockaddr_bus *addr,
		     int len)
{
	const int offset = offsetof(struct sockaddr_bus, sbus_path);
	size_t room;

	if (len <= offset || len > (int)sizeof(*addr))
		return -EINVAL;
	if (addr->sbus_family != afbus_family)
		return -EINVAL;

	room = min_t(size_t, len - offset, BUS_PATH_MAX);
	memset(name, 0, sizeof(*name));
	if (addr->sbus_path[0])
		name->len = strnlen(addr->sbus_path, room);
	else
		name->len = 1 + strnlen(addr->sbus_path + 1, room - 1);
	memcpy(name->path, addr->sbus_path, name->len);

	return name->len == 1 && !name->path[0] ? -EINVAL : 0;
}

bool afbus_name_equal(const struct afbus_name *a, const struct afbus_name *b)
{
	return a->len == b->len && !memcmp(a->path, b->path, a->len);
}

/**
 * afbus_name_print() - print a name for people, on one line
 * @name: the name
 * @text: result, BUS_PATH_MAX + 1 bytes
 */
void afbus_name_print(const struct afbus_name *name, char *text)
{
	unsigned int i;

	for (i = 0; i < name->len; i++)
		text[i] = isgraph(name->path[i]) ? name->path[i] : '?';
	text[i] = '\0';
	if (!name->path[0])
		text[0] = '@';
}

static int afbus_order(const void *a, const void *b)
{
	return a == b ? 0 : a < b ? -1 : 1;
}

static int afbus_inode_cmp(const void *inode, const struct rb_node *node)
{
	return afbus_order(inode, afbus_named(node)->inode);
}

static bool afbus_inode_less(struct rb_node *a, const struct rb_node *b)
{
	return afbus_inode_cmp(afbus_named(a)->inode, b) < 0;
}

static struct afbus_bus *afbus_find_inode(const struct inode *inode)
{
	lockdep_assert_held(&afbus_name_lock);

	return afbus_named(rb_find(inode, &afbus_inodes, afbus_inode_cmp));
}

/**
 * struct afbus_abstract - key of an abstract name
 * @net: network namespace
 * @name: the name there
 */
struct afbus_abstract {
	const struct net	*net;
	const struct afbus_name	*name;
};

static int afbus_abstract_cmp(const void *key, const struct rb_node *node)
{
	const struct afbus_bus *bus = afbus_named(node);
	const struct afbus_abstract *a = key;

	return afbus_order(a->net, bus->net) ?:
	       (int)a->name->len - (int)bus->name.len ?:
	       memcmp(a->name->path, bus->name.path, bus->name.len);
}

static int afbus_abstract_node_cmp(struct rb_node *a, const struct rb_node *b)
{
	const struct afbus_bus *bus = afbus_named(a);
	const struct afbus_abstract key = { bus->net, &bus->name };

	return afbus_abstract_cmp(&key, b);
}

static struct afbus_bus *afbus_find_abstract(const struct net *net,
					     const struct afbus_name *name)
{
	const struct afbus_abstract key = { net, name };

	lockdep_assert_held(&afbus_name_lock);

	return afbus_named(rb_find(&key, &afbus_abstracts, afbus_abstract_cmp));
}

static int afbus_bind_abstract(struct afbus_bus *bus)
{
	struct rb_node *taken;

	spin_lock(&afbus_name_lock);
	taken = rb_find_add(&bus->name_node, &afbus_abstracts,
			    afbus_abstract_node_cmp);
	spin_unlock(&afbus_name_lock);
	return taken ? -EADDRINUSE : 0;
}

static int afbus_bind_inode(struct afbus_bus *bus, struct socket *sock)
{
	umode_t mode = S_IFSOCK | (SOCK_INODE(sock)->i_mode & ~current_umask());
	struct dentry *dentry;
	struct path parent;
	int err;

	dentry = kern_path_create(AT_FDCWD, bus->name.path, &parent, 0);
	if (IS_ERR(dentry)) {
		err = PTR_ERR(dentry);
		return err == -EEXIST ? -EADDRINUSE : err;
	}

	err = security_path_mknod(&parent, dentry, mode, 0);
	if (!err)
		err = vfs_mknod(mnt_idmap(parent.mnt), d_inode(parent.dentry),
				dentry, mode, 0);
	if (!err) {
		bus->inode_path.mnt = mntget(parent.mnt);
		bus->inode_path.dentry = dget(dentry);
		bus->inode = d_backing_inode(dentry);
		spin_lock(&afbus_name_lock);
		rb_add(&bus->name_node, &afbus_inodes, afbus_inode_less);
		spin_unlock(&afbus_name_lock);
	}
	done_path_create(&parent, dentry);
	return err == -EEXIST ? -EADDRINUSE : err;
}

/**
 * afbus_name_bind() - make the name of a bus known
 * @bus: the bus, which nobody else knows yet
 * @sock: the socket that binds
 *
 * Return: 0; -EADDRINUSE if the name is taken; what the file system says.
 */
int afbus_name_bind(struct afbus_bus *bus, struct socket *sock)
{
	if (afbus_name_is_abstract(&bus->name))
		return afbus_bind_abstract(bus);
	return afbus_bind_inode(bus, sock);
}

/**
 * afbus_name_release() - the listening socket closes
 * @bus: the bus, which cannot be found any more afterwards
 */
void afbus_name_release(struct afbus_bus *bus)
{
	struct path path;

	spin_lock(&afbus_name_lock);
	rb_erase(&bus->name_node, afbus_name_is_abstract(&bus->name) ?
		 &afbus_abstracts : &afbus_inodes);
	path = bus->inode_path;
	memset(&bus->inode_path, 0, sizeof(bus->inode_path));
	spin_unlock(&afbus_name_lock);

	path_put(&path);
}

static struct afbus_bus *afbus_find_path(const struct net *net,
					 const struct path *path)
{
	struct inode *inode = d_backing_inode(path->dentry);
	struct afbus_bus *bus;

	spin_lock(&afbus_name_lock);
	bus = S_ISSOCK(inode->i_mode) ? afbus_find_inode(inode) : NULL;
	if (bus && net_eq(bus->net, net))
		afbus_bus_get(bus);
	else
		bus = ERR_PTR(-ECONNREFUSED);
	spin_unlock(&afbus_name_lock);
	return bus;
}

static struct afbus_bus *afbus_lookup_inode(const struct net *net,
					    const char *pathname)
{
	struct afbus_bus *bus;
	struct path path;
	int err;

	err = kern_path(pathname, LOOKUP_FOLLOW, &path);
	if (err)
		return ERR_PTR(err);

	err = path_permission(&path, MAY_WRITE);
	bus = err ? ERR_PTR(err) : afbus_find_path(net, &path);
	if (!IS_ERR(bus))
		touch_atime(&path);
	path_put(&path);
	return bus;
}

/* The inode of a bus is in memory, so its path is most often cached as well. */
static struct afbus_bus *afbus_lookup_cached(const struct net *net,
					     const char *pathname)
{
	struct afbus_bus *bus;
	struct path path;
	int err;

	err = kern_path(pathname, LOOKUP_FOLLOW | LOOKUP_CACHED, &path);
	if (err)
		return ERR_PTR(err);

	bus = afbus_find_path(net, &path);
	path_put(&path);
	return bus;
}

static struct afbus_bus *afbus_lookup_abstract(const struct net *net,
					       const struct afbus_name *name)
{
	struct afbus_bus *bus;

	spin_lock(&afbus_name_lock);
	bus = afbus_find_abstract(net, name);
	if (bus)
		afbus_bus_get(bus);
	spin_unlock(&afbus_name_lock);
	return bus ?: ERR_PTR(-ECONNREFUSED);
}

/**
 * afbus_name_find() - find a bus
 * @net: network namespace of the caller
 * @name: its name, as the caller sees it
 *
 * Return: the bus, with a reference, or an error pointer.
 */
struct afbus_bus *afbus_name_find(struct net *net,
				  const struct afbus_name *name)
{
	if (afbus_name_is_abstract(name))
		return afbus_lookup_abstract(net, name);
	return afbus_lookup_inode(net, name->path);
}

/**
 * afbus_name_find_cached() - find a bus without waiting for a file system
 * @net: network namespace of the caller
 * @name: its name, as the caller sees it
 *
 * For callers that hold a lock which others wait for, and that check by other
 * means who may name the bus: the mode of its inode is not asked.
 *
 * Return: the bus, with a reference, or an error pointer; -EAGAIN if only the
 * file system knows.
 */
struct afbus_bus *afbus_name_find_cached(struct net *net,
					 const struct afbus_name *name)
{
	if (afbus_name_is_abstract(name))
		return afbus_lookup_abstract(net, name);
	return afbus_lookup_cached(net, name->path);
}
