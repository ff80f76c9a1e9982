"""Photos in folders: names, hidden ones, links."""

from nose.tools import assert_in, assert_raises, eq_

from colornet.photos.finding import find_images
from colornet.photos.reading import ImageError
from tests.photos.samples import InFolder, photo


class TestFindImages(InFolder):

    def test_what_is_found(self):
        for name in ('b.jpg', 'a.JPEG', 'sub/deep/c.PnG', 'd.txt', 'e',
                     '.hidden.jpg', '.git/f.jpg', 'sub/g.tiff', 'h.jpg.part'):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b'')
        eq_(find_images(str(self.folder)),
            [self.folder / name for name in ('a.JPEG', 'b.jpg',
                                             'sub/deep/c.PnG', 'sub/g.tiff')])

    def test_nothing_is_found(self):
        eq_(find_images(self.folder), [])

    def test_links_to_folders_make_no_circle(self):
        (self.folder / 'self').symlink_to(self.folder)
        photo().save(self.folder / 'a.jpg')
        eq_(find_images(self.folder), [self.folder / 'a.jpg'])
        # Nor where links are followed, up or down.
        inner = self.folder / 'inner'
        inner.mkdir()
        (inner / 'above').symlink_to(self.folder)
        photo().save(inner / 'b.jpg')
        eq_(find_images(self.folder, follow_links=True),
            [self.folder / 'a.jpg', inner / 'b.jpg'])
        eq_(find_images(inner, follow_links=True),
            [inner / 'above' / 'a.jpg', inner / 'b.jpg'])

    def test_links_to_folders_are_followed_if_wanted(self):
        for name in 'one/a.jpg', 'two/deep/b.jpg', 'all/c.jpg', 'all/z/d.jpg':
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            photo().save(self.folder / name)
        everything = self.folder / 'all'
        for link, target in ('first', '../one'), ('second', '../two'), (
                'again', '../one'), ('itself', '.'), ('a_to_z', 'z'):
            (everything / link).symlink_to(target)
        (everything / 'file.jpg').symlink_to('../one/a.jpg')
        (everything / 'dead.jpg').symlink_to('../nowhere')
        names = [path.relative_to(everything).as_posix() for path in
                 find_images(everything, follow_links=True)]
        # Each folder once; one that is no link by its own name.
        eq_(names, ['again/a.jpg', 'c.jpg', 'dead.jpg', 'file.jpg',
                    'second/deep/b.jpg', 'z/d.jpg'])
        eq_([path.name for path in find_images(everything)],
            ['c.jpg', 'dead.jpg', 'file.jpg', 'd.jpg'])

    def test_a_link_to_a_missing_folder_is_told(self):
        (self.folder / 'general').symlink_to('nowhere')
        eq_(find_images(self.folder), [])
        with assert_raises(ImageError) as caught:
            find_images(self.folder, follow_links=True)
        eq_(str(caught.exception), '%s: link to nothing'
            % (self.folder / 'general'))

    def test_missing_folder(self):
        with assert_raises(ImageError):
            find_images(self.folder / 'no')
        errors = []
        eq_(find_images(self.folder / 'no', on_error=errors.append), [])
        assert_in('no such file', errors[0].reason)
