//! The oracle sizer over real zlib (being written on main).
